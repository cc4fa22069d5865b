"""Tests of the broker in a folder."""
