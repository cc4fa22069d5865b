"""Speed and memory, measured on the machine at hand. Nothing here is asserted; `python -m bench` prints a table."""
