"""Regions found without painting, made to follow edges, and doubted."""
