"""Names of what a page may ask for."""

from __future__ import annotations

import secrets


def token() -> str:
    """A name that nobody guesses."""
    return secrets.token_urlsafe(15)
