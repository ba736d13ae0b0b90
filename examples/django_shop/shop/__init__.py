"""A shop with Django: an order and the message about it are one transaction."""
