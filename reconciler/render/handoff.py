"""The pack for Codat's team: a table and a page per platform. No token and no link URL is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from reconciler.migration import PlatformPack
from reconciler.render.csv_tables import csv_text
from reconciler.render.escaping import for_terminal
from reconciler.render.markdown_text import code, prose
from reconciler.wording import counted

HEAD: Final = ("address", "company", "companyId", "connectionId", "platform", "platformKey", "status")


def handoff_files(pack: PlatformPack) -> Mapping[str, str]:
    """The files of one platform: names and texts."""
    return {f"{pack.slug}.csv": handoff_csv(pack), f"{pack.slug}.md": handoff_page(pack)}


def handoff_text(packs: Sequence[PlatformPack], where: str) -> str:
    """What was written: a line for each platform, and where it is."""
    lines = [
        f"{pack.name}: {counted(len(pack.connections), 'connection')}, {pack.linked} Linked already"
        for pack in packs
    ]
    return "\n".join([*map(for_terminal, lines), f"Wrote a table and a page for each to {where}."]) + "\n"


def handoff_csv(pack: PlatformPack) -> str:
    """A row for each connection whose token Codat's team imports."""
    return csv_text(
        HEAD,
        (
            (
                str(one.address),
                one.company,
                one.company_id,
                one.connection_id,
                pack.name,
                pack.key,
                one.status.value,
            )
            for one in pack.connections
        ),
    )


def handoff_page(pack: PlatformPack) -> str:
    """What is to be migrated, what the platform needs, the six steps, and how tokens travel."""
    return _template().render(pack=pack)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("reconciler.render"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown; every value goes through prose or code
    )
    environment.filters |= {"prose": prose, "code": code, "counted": counted}
    return environment.get_template("handoff.md")
