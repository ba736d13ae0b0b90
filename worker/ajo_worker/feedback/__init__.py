"""Feedback: what Journey Optimizer reports of messages after it accepted them, matched to the triggers it is about."""
