"""The HTTP API for programs, `/api/v1`. It asks the engine through its front doors and decides nothing itself."""
