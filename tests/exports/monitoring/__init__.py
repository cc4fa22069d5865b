"""Tests of the package monitoring."""
