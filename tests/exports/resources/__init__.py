"""Tests of the package resources."""
