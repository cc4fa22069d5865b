"""Tests of the package execution."""
