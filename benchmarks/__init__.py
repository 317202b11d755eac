"""Benchmarks: a script each, printing one JSON line; results stand in docs/performance.md."""
