"""Dead letters: listed, shown, exported, redriven, discarded."""
