"""The real handlers on a real log and real stores: whole jobs, in one process and in several."""
