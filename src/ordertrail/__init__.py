"""Ordertrail: every order of a shop, recorded exactly once."""
