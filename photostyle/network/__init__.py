"""The networks that tell what a photograph looks like: where they come from, and their layers by name."""
