"""Energies: named, weighted sums of terms, each a function of features that names its paper."""
