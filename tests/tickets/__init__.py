"""Tickets: models, resource, seeding."""
