"""Feedback: its receiver, its import from files, and its figures."""
