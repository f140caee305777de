"""What may be done: one function per promise, on a batch, in a transaction of somebody else's."""
