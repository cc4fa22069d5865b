"""What of the tickets can be exported; each module here is found at start."""
