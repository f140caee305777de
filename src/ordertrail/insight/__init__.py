"""What it adds up to: the only read API for numbers, asked by console, API and command line."""
