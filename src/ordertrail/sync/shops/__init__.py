"""Shops: one module each, which reads what the shop gives and makes orders of it, or refuses."""
