"""Looks: what was done to a photograph, kept apart from it.

`look` holds the regional colour maps of a transfer, which go onto any photograph; `local` what any other recipe or
editor did at each place, which goes onto frames of the same framing; `scene` finds a look's regions again; `file` keeps
looks; `learn` finds the map that an editor used; `change` blends and inverts them.
"""
