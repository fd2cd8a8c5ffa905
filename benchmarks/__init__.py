"""Measures what Skywave promises about speed, beside what others do in the same run: `make bench`."""
