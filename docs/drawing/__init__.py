"""How docs/pictures.py draws: text is measured and broken into lines, lines become SVG."""
