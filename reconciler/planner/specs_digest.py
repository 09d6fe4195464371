"""The digest of everything that the specs want: that of its canonical JSON, which is never held as a whole.

The JSON is larger than all that it is made of. So it is written company by company, and what connections
have alike is written once: one of a kind stands for all of them, save for what is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, replace
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import Any, Final

from reconciler.kinds import ALGORITHM, canonical
from reconciler.model import Desired, DesiredCompany, DesiredConnection
from reconciler.planner.saved_form import to_document
from reconciler.secret_refs import SecretRef, WrittenValues, written

_QUOTED: Final[Callable[[str], str]] = encode_basestring_ascii
_COMPANIES: Final = "companies"
_OF_COMPANIES: Final = ("connections", "name", "tags")
_OF_CONNECTIONS: Final = ("authorization",)
"""What each has of its own, by its name in JSON and in that order."""
_Pieces = tuple[str, ...]
"""JSON before, between and after the members that are filled in."""


class _Usual:
    """Whether a noun has nothing but its ``own`` members; all others are as they are by default."""

    def __init__(self, kind: type, *own: str) -> None:
        rest = [member for member in fields(kind) if member.name not in (*own, "key", "span")]
        self._read = attrgetter(*(member.name for member in rest))
        self._defaults = tuple(member.default for member in rest)

    def __call__(self, noun: DesiredCompany | DesiredConnection) -> bool:
        return bool(self._read(noun) == self._defaults)


_IS_USUAL: Final = _Usual(DesiredCompany, *_OF_COMPANIES)
_IS_USUAL_LINK: Final = _Usual(
    DesiredConnection,
    *_OF_CONNECTIONS,
    *("platform", "platform_key", "source_type", "migration", "wanted", "sync", "preconditions"),
    "source_accounts",
)


def desired_digest(desired: Desired) -> str:
    """The digest of everything that the specs want."""
    found = sha256()
    for text in _texts(desired):
        found.update(text.encode())
    return f"{ALGORITHM}:{found.hexdigest()}"


def _texts(desired: Desired) -> Iterator[str]:
    """The canonical JSON in pieces."""
    before, after = _around(to_document(replace(desired, companies={})), (_COMPANIES,))
    yield before
    kinds: dict[tuple[object, ...], _Pieces] = {}
    opening = "{"
    for key, company in sorted(desired.companies.items()):
        yield f"{opening}{_QUOTED(key)}:{_company(company, kinds)}"
        opening = ","
    yield ("}" if desired.companies else "{}") + after


def _around(document: Mapping[str, Any], own: Collection[str]) -> _Pieces:
    """The canonical JSON of a document in pieces, between which its ``own`` members come."""
    pieces: list[str] = []
    text = ""
    for name, value in sorted(document.items()):
        text += f"{',' if text or pieces else '{'}{_QUOTED(name)}:"
        if name in own:
            pieces.append(text)
            text = ""
        else:
            text += canonical(value)
    return (*pieces, text + "}")


def _company(company: DesiredCompany, kinds: dict[tuple[object, ...], _Pieces]) -> str:
    """The canonical JSON of a company."""
    is_usual = _IS_USUAL(company)
    pieces = kinds.get(()) if is_usual else None
    if pieces is None:
        pieces = _around(to_document(replace(company, connections={})), _OF_COMPANIES)
    if is_usual:
        kinds[()] = pieces
    connections, name, tags, end = pieces
    links = [f"{_QUOTED(key)}:{_link(link, kinds)}" for key, link in sorted(company.connections.items())]
    return (
        f"{connections}{{{','.join(links)}}}{name}{_QUOTED(company.name)}{tags}{_members(company.tags)}{end}"
    )


def _link(link: DesiredConnection, kinds: dict[tuple[object, ...], _Pieces]) -> str:
    """The canonical JSON of a connection."""
    if link.source_accounts or not _IS_USUAL_LINK(link):
        return canonical(to_document(link))
    # What connections share is told by where it is in memory, where all of it is until the digest is made.
    shared = (id(link.sync), id(link.preconditions))
    kind = (link.platform, link.platform_key, link.source_type, link.migration, link.wanted, *shared)
    if kind not in kinds:
        kinds[kind] = _around(to_document(link), _OF_CONNECTIONS)
    before, after = kinds[kind]
    return f"{before}{_members(_written(link.authorization))}{after}"


def _written(authorization: Mapping[str, str | SecretRef]) -> Mapping[str, str]:
    if isinstance(authorization, WrittenValues):
        return authorization.texts
    return {
        name: str(value) if isinstance(value, SecretRef) else written(value)
        for name, value in authorization.items()
    }


def _members(texts: Mapping[str, str | None]) -> str:
    """The canonical JSON of texts by name."""
    members = [
        f"{_QUOTED(name)}:{'null' if text is None else _QUOTED(text)}" for name, text in sorted(texts.items())
    ]
    return f"{{{','.join(members)}}}"
