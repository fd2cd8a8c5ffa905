"""What people do: one module for each thing that they look for.

Each function takes a unit of work and plain arguments, holds every rule of its use case, and returns what
happened. Chat commands and the command line only read what was typed, call these, and say the result.
"""
