"""Benchmarks: each case beside a peer or a limit, measured in the same run."""
