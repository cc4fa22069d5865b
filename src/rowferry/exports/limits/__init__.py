"""Quotas, idempotency keys, download slots."""
