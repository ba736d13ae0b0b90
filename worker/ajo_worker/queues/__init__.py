"""How much waits in the broker, asked now and then beside the consuming."""
