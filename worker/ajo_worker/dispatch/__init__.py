"""What becomes of a trigger: admit, send, classify, retry, record."""
