"""The subcommands of `rowferry`."""
