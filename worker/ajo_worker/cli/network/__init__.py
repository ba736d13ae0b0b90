"""The way to endpoints."""
