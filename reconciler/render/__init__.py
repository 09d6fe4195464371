"""Plans, outcomes and diagnostics as text: one view model, one escaping writer per format.

A name is imported when it is first asked for: ``explain`` would start with jinja2, and ``validate`` with all
that a plan is made of. ``__init__.pyi`` says the same to mypy, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

_HOMES: Final[Mapping[str, str]] = {
    "Style": "layout",
    "codes_json": "explain",
    "codes_text": "explain",
    "comment_marker": "markdown",
    "diagnostics_github": "documents",
    "diagnostics_json": "documents",
    "diagnostics_sarif": "documents",
    "diagnostics_text": "text",
    "errors_markdown": "summary",
    "events_writer": "documents",
    "explanation_json": "explain",
    "explanation_text": "explain",
    "github_outputs": "documents",
    "handoff_files": "handoff",
    "handoff_text": "handoff",
    "links_csv": "handoff",
    "links_text": "handoff",
    "names_text": "text",
    "outcome_json": "documents",
    "outcome_markdown": "summary",
    "outcome_text": "text",
    "plan_html": "html",
    "plan_json": "documents",
    "plan_markdown": "markdown",
    "plan_text": "text",
    "platforms_json": "documents",
    "platforms_text": "text",
    "retired_json": "handoff",
    "retired_text": "handoff",
    "status_json": "status",
    "status_text": "status",
    "verification_json": "status",
    "verification_text": "status",
}
"""Which module of this room holds a name."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
