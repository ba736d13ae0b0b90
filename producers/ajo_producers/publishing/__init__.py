"""Publishing triggers to the broker."""
