"""What of the ledger can be exported."""
