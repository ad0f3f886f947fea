"""Energies: named, weighted sums of terms, each a function of features. Every term is ≥ 0 and names its paper.

A term is built once, from targets that are computed once, and is then a pure function. Features are summed up per
element (means, and Gram matrices over their mass and channels), so that values do not depend on the size of the image;
the constants that papers put in front are weights, and stand in the recipes.
"""
