"""The command line: `eventflow COMMAND`. Exit codes: 0 done, 1 failed, 2 wrong usage or settings."""

from ops.cli.app import main

__all__ = ["main"]
