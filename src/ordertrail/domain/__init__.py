"""What is true about orders: values and rules, without a clock, a file or a socket."""
