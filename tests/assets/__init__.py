"""Assets: models, resource, seeding."""
