"""The tickets of an IT department."""
