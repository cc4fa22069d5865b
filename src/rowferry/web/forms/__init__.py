"""Forms of the page."""
