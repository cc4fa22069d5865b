"""The description of the API: OpenAPI, its links, the schema of a manifest."""
