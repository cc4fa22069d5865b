"""Rowferry's settings with the saboteur beside it. Only the processes that chaos starts load this module."""

from __future__ import annotations

from rowferry.config.settings import *  # noqa: F403
from rowferry.config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "chaos"]
