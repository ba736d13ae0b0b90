"""One call to Journey Optimizer: the request, the HTTP adapters, the token, and what an answer means."""
