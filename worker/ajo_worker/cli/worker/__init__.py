"""Running workers."""
