"""The sync in a world of its own: seeded time, shop, network, destination and disk."""
