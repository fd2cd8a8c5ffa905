"""Servers on loopback that behave like the platforms, for tests, benchmarks and manual trials."""
