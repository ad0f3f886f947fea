"""Tables of colour, as editors exchange them: `.cube`, Hald images and `.3dl`.

stages (curves, lattices) → table (a row of them, over a space of `spaces`) → cube, hald, threedl (one format each) →
reading and writing (files). `making` makes a table of a colour map, `fit` the best one of a photograph and its result,
and `learning` guesses what was done to all colours.
"""
