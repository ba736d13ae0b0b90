"""What is in hand: messages and their triggers, the campaigns they are sent by, and why one is not sent. Pure."""
