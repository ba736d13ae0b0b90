"""Dead letters: which, what is in one, and what operators do to them."""
