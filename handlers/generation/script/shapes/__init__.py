"""What shape a pasted text has, and what of it is said, shown or left out: `decide` is the entry."""
