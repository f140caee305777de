"""The API from outside: calls as values, and one client that makes them."""
