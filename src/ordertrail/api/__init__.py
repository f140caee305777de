"""The public face: decode, act, encode."""
