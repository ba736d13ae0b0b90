"""The read side: what commands, reports and metrics ask of the ledger's views."""
