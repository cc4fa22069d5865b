"""Rowferry's settings without its domains: a worker of this site needs no database and starts at once."""

from rowferry.config.settings import *  # noqa: F403

INSTALLED_APPS = ["rowferry.config"]
