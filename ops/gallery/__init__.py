"""Every layout and block in every theme and aspect, to be looked at."""
