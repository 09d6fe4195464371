"""Writes specs for companies that exist already, so that planning them changes nothing but their owner."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from textwrap import indent
from typing import Final

import yaml

from reconciler.loading.adoptable import LONGEST_KEY, Adoptable, LeftOut, free_key
from reconciler.loading.scalars import plain
from reconciler.model import slug

_LINES: Final = 110
_LONGEST_STEM: Final = LONGEST_KEY - 9


class SpecDumper(yaml.SafeDumper):
    """PyYAML's, save that it quotes what YAML 1.2 would take for something else than text.

    PyYAML's own rules are those of YAML 1.1: they quote ``no``, and leave ``1e3`` and ``0o17`` bare. What
    either version would mistake is quoted, since other tools that read specs may go by the older one.
    """


def _text(dumper: SpecDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain(text), str) else "'"
    if not text.isprintable():
        style = '"'  # line breaks and their like are escaped, where they cannot be taken for layout
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


SpecDumper.add_representer(str, _text)


def spec_text(
    companies: Mapping[str, Adoptable], left_out: Sequence[LeftOut] = (), *, schema: str, heading: str
) -> str:
    """The YAML of companies by their keys, each pinned to its ``id``.

    ``schema`` is where editors find ours, ``heading`` becomes a comment, and so does all that is left out,
    each with its reason: beside its company, or at the end.
    """
    lines = [f"# yaml-language-server: $schema={schema}", *_comments(heading.splitlines())]
    body = "".join(f"{one}\n" for one in lines)
    if companies:
        body += "version: 1\ncompanies:\n" + "".join(
            indent(_company(key, one), "  ") for key, one in companies.items()
        )
    return body + "".join(f"{one}\n" for one in _comments(map(str, left_out)))


def _company(key: str, company: Adoptable) -> str:
    comments = "".join(f"{one}\n" for one in _comments(map(str, company.left_out)))
    return comments + yaml.dump(
        {key: dict(company.document)}, Dumper=SpecDumper, sort_keys=False, allow_unicode=True, width=_LINES
    )


def _comments(lines: Iterable[str]) -> list[str]:
    return [f"# {line}" for line in lines]


def company_keys(companies: Iterable[Adoptable], taken: Collection[str] = ()) -> dict[str, Adoptable]:
    """A key for each company, made from its name and unlike all others and those that are ``taken``."""
    keyed: dict[str, Adoptable] = {}
    used = set(taken)
    for one in companies:
        stem = slug(one.company.name)[:_LONGEST_STEM].strip("-") or "company"
        key = free_key(stem, used, one.company.id)
        used.add(key)
        keyed[key] = one
    return keyed
