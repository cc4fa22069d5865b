"""`python -m bench.engine_runs NAME ARGUMENTS…` sets Django up, then runs the module of that name."""

from __future__ import annotations

import runpy
import sys

import django

if __name__ == "__main__":
    django.setup()
    name = sys.argv.pop(1)
    runpy.run_module(f"bench.engine_runs.{name}", run_name="__main__", alter_sys=True)
