"""Benchmarks: each module prints one table, with ratios against a peer in the same run where one is installed."""
