"""Looks as tables for other programs.

`sight` is a look as one photograph shows it; `single` the one table nearest to that, `pack` a table and a mask for each
region, `readme` what goes with a pack; `held` says how much of the look a table or a pack holds.
"""
