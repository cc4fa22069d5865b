"""Manifests, signatures, verification."""
