"""Maps of colour: the lattice, the family that a descent searches, and a map for each region of a photograph."""
