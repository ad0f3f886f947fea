"""What there is before anything was uploaded: recipes, examples, limits."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from photostyle import PALETTE, ImageError, __version__
from photostyle.jobs.pair import example
from photostyle.studio.controls import recipe_facts
from photostyle.studio.picture import EDIT_SIZE, Side
from photostyle.studio.saving import formats
from photostyle.studio.service import Here

EXAMPLES = {
    "palace-night": "A palace by day, a bridge by night",
    "maple-autumn": "Green maple, red maple",
    "meadow-sunset": "A meadow, a sunset",
}

router = APIRouter(prefix="/api", tags=["studio"])


@router.get("/about")
def about(here: Here) -> dict[str, Any]:
    """Version, recipes with their settings, examples, palette and limits."""
    return {
        "version": __version__,
        "recipes": recipe_facts(),
        "examples": [{"name": name, "title": title} for name, title in EXAMPLES.items() if _is_here(name)],
        "palette": PALETTE,
        "formats": formats(),
        "edit_size": EDIT_SIZE,
        "learned": here.selecting.is_learned,
        "limits": {"bytes": here.limits.bytes, "pixels": here.limits.pixels},
    }


@router.get("/examples/{name}/{side}.jpg", response_class=FileResponse)
def photograph(name: str, side: Side) -> FileResponse:
    """A photograph of an example pair."""
    if name not in EXAMPLES:
        raise HTTPException(404, "There is no such example.")
    return FileResponse(getattr(example(name), side), headers={"cache-control": "max-age=3600"})


def _is_here(name: str) -> bool:
    try:
        example(name)
    except ImageError:
        return False
    return True
