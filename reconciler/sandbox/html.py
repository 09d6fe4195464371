"""Pages as HTML: the templates, which trust no value, and what a page may do in a browser."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.answers import Answer

if TYPE_CHECKING:
    from jinja2 import Environment

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What keeps a password in a URL from caches and from other sites."""


def page(template: str, status: int = 200, /, **values: Any) -> Answer:
    """The page that ``template`` makes of ``values``."""
    text = _environment().get_template(template).render(values)
    return Answer(status, page=text, headers={**HEADERS, "Content-Security-Policy": _policy()})


def live_page(template: str, /, **values: Any) -> Answer:
    """A page that refreshes itself by ``overview.js``."""
    text = _environment().get_template(template).render(values)
    return Answer(200, page=text, headers={**HEADERS, "Content-Security-Policy": _live_policy()})


def see_other(location: str) -> Answer:
    """Send a browser on to a page that changes nothing."""
    return Answer(303, headers={**HEADERS, "Location": location})


@cache
def _policy() -> str:
    """Nothing may load or run but our own style: no icon either, whose request could meet a fault."""
    return f"default-src 'none'; style-src '{_hash('page.css')}'; {_ENDS}"


@cache
def _live_policy() -> str:
    """Our own style and script too, which may ask this server alone."""
    style, script = _hash("overview.css"), _hash("overview.js")
    return f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; {_ENDS}"


_ENDS: Final = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def _hash(template: str) -> str:
    text = _environment().get_template(template).render()
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    # Here, because a client of the API never asks for a page.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("reconciler.sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
