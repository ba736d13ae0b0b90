"""One call to Journey Optimizer: the request, both HTTP adapters, the token, and what an answer means."""
