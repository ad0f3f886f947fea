"""Colours: their spaces, how different two of them look, and transport from one distribution of them to another."""
