"""The ledger's alerts and figures, as Prometheus reads them."""
