"""Draws for docs/pictures.py: measures text, breaks it into lines, and writes lines as SVG."""
