"""A look given to a photograph, as a job of the studio."""

from __future__ import annotations

from time import monotonic
from typing import Any

from photostyle import ImageError, Look, __version__
from photostyle.jobs.report import have_weights
from photostyle.looks.placed import Placed
from photostyle.studio.making import Work
from photostyle.studio.result import Order, Result
from photostyle.studio.sessions import Session
from photostyle.studio.tokens import token
from photostyle.studio.worker import Task


def wearing(session: Session, look: Look, name: str, photograph: str | None) -> Work:
    """The look of that name on a photograph of the session, by its id (None: the one to change), as a result.

    Raises ImageError at once if there is no such photograph.
    """
    picture = session.pictures.get("content") if photograph is None else session.find_picture(photograph)
    if picture is None:
        raise ImageError("There is no such photograph here: choose one first.")

    def work(task: Task) -> dict[str, Any]:
        began = monotonic()
        have_weights(task, *look.networks_in(picture.small))
        task.enter("finding the look's regions")
        masks, said = look.find_regions(picture.small)
        for sentence in said:
            task.note(sentence)
        task.check()
        result = Result.of_look(
            Placed(look, masks),
            session.folder / token(),
            content=picture,
            style=None,
            order=Order(name, "standard", {}),
            note={"look": name, "made": look.facts, "version": __version__, "content": picture.name},
            seconds=monotonic() - began,
        )
        session.add_result(result)
        return {"result": result.facts()}

    return work
