"""Regions: what belongs together in two photographs, painted and paired."""
