"""A token bucket: so many requests a second, with a burst of one second's worth."""

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """`per_s` tokens flow in each second, up to `per_s` of them; times are monotonic seconds."""

    per_s: float
    tokens: float
    filled_at: float

    @classmethod
    def full(cls, per_s: float, now: float) -> "TokenBucket":
        """Return a bucket that holds a whole second's worth."""
        return cls(per_s, max(per_s, 1.0), now)

    def take(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one and take nothing."""
        room = max(self.per_s, 1.0)
        self.tokens = min(room, self.tokens + (now - self.filled_at) * self.per_s)
        self.filled_at = now
        if self.tokens >= 1.0:
            self.tokens -= 1.0
            return 0.0
        return (1.0 - self.tokens) / self.per_s
