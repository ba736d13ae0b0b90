"""The ledger: what is written of every trigger and attempt, in group commits, and how it is read back."""
