"""Model objects for tests: every value has a plain default, and a test names those that it is about."""
