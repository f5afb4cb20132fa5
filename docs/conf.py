"""How Sphinx makes a site of these pages: `nox -s docs`, or `python -m sphinx -W docs site`."""

from __future__ import annotations

import gan_toolkit

project = "gan-toolkit"
author = "the authors of gan-toolkit"
release = gan_toolkit.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["README.md"]  # index.md includes it
myst_heading_anchors = 3  # pages link to headings, as on GitHub
# Links out of these pages, to a README beside code, lead to a file: Sphinx offers it as a download,
# which is of no use in a site. tests/docs follows every one of them.
suppress_warnings = ["myst.xref_missing", "myst.header"]

html_theme = "furo"
html_title = "gan-toolkit"

default_role = "code"  # docstrings name things in single backticks
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
