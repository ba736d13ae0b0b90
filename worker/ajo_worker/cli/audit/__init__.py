"""Sealing days, verifying them, and what was sent to one recipient."""
