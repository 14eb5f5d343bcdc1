"""The command line: the tree of commands, and the lines that it shows."""
