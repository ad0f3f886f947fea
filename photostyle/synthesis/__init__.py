"""Pictures laid of a picture's own pixels: fields of patches, what a patch costs, and how patches become a picture."""
