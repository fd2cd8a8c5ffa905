"""Measures Skywave's speed beside that of other programs in the same run: `make bench`."""
