"""The command line: the root, and the producers' commands."""
