"""What of the assets can be exported; each module here is found at start."""
