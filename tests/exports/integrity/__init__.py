"""Tests of the package integrity."""
