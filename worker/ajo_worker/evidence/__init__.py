"""Evidence that rows of closed days are what they were: digests of them in a chain, made once and compared later."""
