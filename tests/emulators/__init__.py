"""Servers on loopback that behave as the platforms do, for tests, benchmarks and trying by hand."""
