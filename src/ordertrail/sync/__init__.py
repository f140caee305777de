"""From the shop to the platform: what to send, what was sent, and sending it."""
