"""The worker: takes triggers from the broker, sends them to Journey Optimizer, and records every dispatch."""
