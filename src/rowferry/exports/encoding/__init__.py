"""Blocks of cells and how they become bytes. Knows no framework."""
