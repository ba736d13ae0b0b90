"""Whose turn it is: places for attempts in flight, and permits of the rate limits that all workers share."""
