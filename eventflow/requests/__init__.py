"""Reads requests for the HTTP API, the command line and forks alike; knows no transport."""
