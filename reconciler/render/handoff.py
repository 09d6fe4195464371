"""What is handed to others: tables that a spreadsheet opens, pages per platform, URLs, secrets to destroy."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from io import StringIO
from itertools import dropwhile
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from rich.text import Text

from reconciler.migration import FORMAT_VERSION, PlatformPack, Retired, WaitingLink
from reconciler.render.documents import written
from reconciler.render.escaping import encodable, for_terminal, is_visible
from reconciler.render.layout import Style, hanging, message, printed
from reconciler.render.markdown import code, prose
from reconciler.wording import counted

_FORMULA: Final = frozenset("=+-@\u2212")
"""What makes spreadsheets compute a cell (https://owasp.org/www-community/attacks/CSV_Injection).

Full-width and small forms count as the signs that they stand for, and as minus the sign of its own too.
"""
_BREAKS: Final = ("\t", "\r", "\n")


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a head; every cell quoted, and one that looks like a formula behind an apostrophe.

    Half a character, which no file can hold, is written as its escape.
    """
    page = StringIO()
    writer = csv.writer(page, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_guarded(encodable(cell, "utf-8")) for cell in row] for row in rows)
    return page.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_BREAKS) or _begins_formula(cell) else cell


def _begins_formula(cell: str) -> bool:
    """Whether the first character that one sees is a formula's: spreadsheets pass over the blank ones."""
    first = next(dropwhile(_is_blank, cell), "")
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA


def _is_blank(character: str) -> bool:
    return character.isspace() or not is_visible(character)


LINKS_HEAD: Final = (
    "address",
    "company",
    "companyId",
    "connectionId",
    "platform",
    "status",
    "linkUrl",
)


def links_csv(links: Sequence[WaitingLink]) -> str:
    """A row for each connection that waits for its customer. It holds the URLs: never print it."""
    return csv_text(
        LINKS_HEAD,
        (
            (
                str(link.address),
                link.company,
                link.company_id,
                link.connection_id,
                link.platform,
                link.status.value,
                link.url.reveal(),
            )
            for link in links
        ),
    )


def links_text(links: Sequence[WaitingLink], where: str, *, not_created: int) -> str:
    """What was written, without a URL."""
    wrote = f"Wrote {counted(len(links), 'link URL')} to {where}, for its owner alone to read."
    lines = [wrote if links else "No connection in Codat waits for its customer, so nothing was written."]
    if not_created:
        lines.append(f"{counted(not_created, 'connection')} not in Codat yet: run apply first.")
    return "\n".join(lines) + "\n"


def retired_json(secrets: Sequence[Retired]) -> str:
    """The references to destroy, and the connections and fields that they belong to."""
    return written({"formatVersion": FORMAT_VERSION, "retired": [secret.document() for secret in secrets]})


def retired_text(secrets: Sequence[Retired], style: Style, *, still_needed: int) -> str:
    """One line for each reference, and one sentence."""
    return printed(_retired(secrets, style, still_needed), style)


def _retired(secrets: Sequence[Retired], style: Style, still_needed: int) -> Iterator[Text]:
    if not style.quiet:
        for secret in secrets:
            uses = ", ".join(f"{address} {field}" for address, field in secret.uses)
            yield from hanging(Text(f"{for_terminal(str(secret.reference))}  ", "bold"), message(uses), style)
        if secrets:
            yield Text()
    yield from hanging(Text(), Text(_sentence(len(secrets)), "bold"), style)
    if still_needed:
        noun = counted(still_needed, "other secret")
        kept = f"Keep {noun}: a connection that is not Linked yet needs them."
        yield from hanging(Text(), Text(kept), style)


def _sentence(number: int) -> str:
    if not number:
        return "Nothing to destroy: no secret of these specs belongs to Linked connections alone."
    return f"Destroy {counted(number, 'secret')}: Codat refreshes these tokens itself, and yours are stale."


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
                str(connection.address),
                connection.company,
                connection.company_id,
                connection.connection_id,
                pack.name,
                pack.key,
                connection.status.value,
            )
            for connection in pack.connections
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
