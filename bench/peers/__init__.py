"""Peers: what others do for the same work, run by an interpreter of their own (`.venv/peers`)."""
