"""Runs one attempt: queued, in a request, or as a preview."""
