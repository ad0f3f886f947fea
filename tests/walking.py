"""Walks a recipe to its end."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from photostyle.descent.steps import Step, Steps, finish


def walk(steps: Steps) -> tuple[list[Step], Tensor]:
    """All steps, their images copied, and the final image."""
    seen: list[Step] = []
    result = finish(steps, lambda step: seen.append(replace(step, image=step.image.clone(), parts=dict(step.parts))))
    return seen, result
