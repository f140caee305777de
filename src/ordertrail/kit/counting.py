"""Numbers of things, in words."""


def counted(count: int, noun: str) -> str:
    """Return how many there are of something, in words."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
