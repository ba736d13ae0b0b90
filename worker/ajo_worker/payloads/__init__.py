"""Payloads that are held: read, and brought under new keys."""
