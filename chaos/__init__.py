"""Real processes, killed on purpose: every figure of docs/reliability.md is a command, `python -m chaos NAME`."""
