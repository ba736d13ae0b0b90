"""The way to an endpoint, step by step on a fresh connection: so a slow network is told from a slow API."""
