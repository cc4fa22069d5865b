"""`tick`: another name of the command `scheduler`."""

from rowferry.exports.management.commands.scheduler import Command as Command
