"""Pages of the package's own files, so that links such as ../photostyle/terms/terms.py#L34 lead to the very line.

On disk such links lead to the file, as code hosts show it; on the site to a page of `source/`. The files are the
modules, and what is written beside the numbers that some of them read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import MarkdownLexer, PythonLexer
from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\((?:\.\./)+(photostyle/[\w/]+\.(?:py|md))(?:#L(\d+))?\)")
LEXERS = {".py": PythonLexer(), ".md": MarkdownLexer()}
logger = logging.getLogger(__name__)


def lead_to_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn the links to source files in a document into links to their pages."""
    up = "../" * docname.count("/")

    def page(link: re.Match[str]) -> str:
        file, line = link.groups()
        if not (ROOT / file).is_file():
            logger.warning("there is no %s", file, location=docname)
        return f"](page:{up}{_page(file)}{f'#L-{line}' if line else ''})"

    source[0] = LINK.sub(page, source[0])


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    """A page for every such file, with an anchor for each line."""
    formatter = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True, cssclass="highlight source-code")
    for suffix, lexer in LEXERS.items():
        for path in sorted((ROOT / "photostyle").rglob(f"*{suffix}")):
            name = path.relative_to(ROOT).as_posix()
            body = highlight(path.read_text(encoding="utf-8"), lexer, formatter)
            yield _page(name), {"title": name, "body": f"<h1>{name}</h1>{body}"}, "page.html"


def _page(file: str) -> str:
    return f"source/{file.removesuffix('.py')}"


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("source-read", lead_to_pages)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
