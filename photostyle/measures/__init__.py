"""The measures of a result."""
