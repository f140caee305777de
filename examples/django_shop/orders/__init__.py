"""Orders: what is kept of them, and what is told of them."""
