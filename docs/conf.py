"""The site that `make site` builds from these pages and from the package's docstrings."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_site")]  # the package of this checkout, and the extensions of the site
from photostyle import __version__  # noqa: E402

project = "photostyle"
author = "The photostyle authors"
project_copyright = f"2026, {author}"
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "docstrings", "sources"]
exclude_patterns = ["_site"]

myst_heading_anchors = 3  # links to headings, as editors and code hosts know them
myst_enable_extensions = ["attrs_block"]
suppress_warnings = ["myst.header"]  # pages that are read on their own may begin at any level
myst_url_schemes = {"http": None, "https": None, "page": "{{path}}.html#{{fragment}}"}

default_role = "py:obj"  # `name` in a docstring leads to that name, if it has a place here
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"photostyle {release}"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
