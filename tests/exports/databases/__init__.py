"""Tests of the package databases."""
