"""Outages and holds: shown, begun and ended by operators."""
