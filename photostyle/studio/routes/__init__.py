"""What a page, or a program, can ask for: a router for each noun of the addresses under /api."""
