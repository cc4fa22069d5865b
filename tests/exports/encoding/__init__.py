"""Tests of the package encoding."""
