"""The log: its hash chain, its daily anchors, its export."""
