"""The HTTP API for programs, `/api/v1`. It speaks HTTP and asks the engine through its front doors; it decides nothing itself."""
