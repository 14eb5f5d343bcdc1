"""The checks of `eventflow doctor`."""
