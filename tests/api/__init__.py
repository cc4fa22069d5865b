"""The HTTP API, asked as a program would ask it."""
