"""Posts and their sources: fetching, parsing, comparing, searching, presenting."""
