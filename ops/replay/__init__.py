"""Tools that read the log again: a job's past, and what is served compared with it."""
