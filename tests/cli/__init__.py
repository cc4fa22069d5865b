"""Tests of the `rowferry` command."""
