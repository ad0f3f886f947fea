"""Docstrings as the package writes them: a block that is indented is shown as it stands, an equation or an example."""

from __future__ import annotations

from sphinx.application import Sphinx


def literal_blocks(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Put the mark of a literal block before every indented block."""
    shown: list[str] = []
    block = False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not block and (not shown or not shown[-1]):
            shown += ["::", ""]
        block = indented or (block and not line)
        shown.append(line)
    lines[:] = shown


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("autodoc-process-docstring", literal_blocks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
