"""The whole stack on one machine, for trying it out: embedded PostgreSQL and Valkey, simulator, worker, Flower."""
