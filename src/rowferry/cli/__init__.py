"""The `rowferry` command: exports from a shell, here or at a server, and the running of an installation."""
