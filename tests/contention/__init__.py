"""Processes that write the same few orders and people at once, and what must hold of it after."""
