"""Faults of a destination or a campaign, and not of a message: seen, shared by all workers, probed, recovered from."""
