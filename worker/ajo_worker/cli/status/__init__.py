"""What is in hand, what became of triggers, and one trigger's timeline."""
