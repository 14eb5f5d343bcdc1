"""Servers and processes on one machine: the embedded server, the supervisor, `eventflow up`."""
