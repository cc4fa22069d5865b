"""The scheduler and what it sends."""
