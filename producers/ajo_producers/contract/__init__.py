"""What producers and workers agree on: the words on the wire, and nothing else."""
