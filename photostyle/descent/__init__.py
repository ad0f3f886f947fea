"""Descents: an unknown follows an energy downhill, step by step, and can be kept on the way."""
