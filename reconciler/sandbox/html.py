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


def see_other(location: str) -> Answer:
    """Send a browser on to a page that changes nothing."""
    return Answer(303, headers={**HEADERS, "Location": location})


@cache
def _policy() -> str:
    """Nothing may load or run but our own style: no icon either, whose request could meet a fault."""
    style = _environment().get_template("page.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


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
