"""What Journey Optimizer tells of messages after it accepted them: scripted, posted to a webhook, and exported."""
