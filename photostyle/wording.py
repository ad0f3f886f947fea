"""Numbers in sentences."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share, in [0, 1], as in 42%, 0.4% or under 0.1%: what there is, is never 0%."""
    if 0 < share < 0.001:
        return "under 0.1%"
    return f"{share:.1%}" if share < 0.01 else f"{share:.0%}"
