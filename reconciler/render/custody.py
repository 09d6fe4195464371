"""Link URLs for a file, and secrets that are to be destroyed, by reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from reconciler.migration import FORMAT_VERSION, Retired, WaitingLink
from reconciler.render.csv_tables import csv_text
from reconciler.render.documents import written
from reconciler.render.escaping import for_terminal
from reconciler.render.layout import hanging, message, printed
from reconciler.render.style import Style
from reconciler.wording import counted

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
                str(one.address),
                one.company,
                one.company_id,
                one.connection_id,
                one.platform,
                one.status.value,
                one.url.reveal(),
            )
            for one in links
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
    return written({"formatVersion": FORMAT_VERSION, "retired": [one.document() for one in secrets]})


def retired_text(secrets: Sequence[Retired], style: Style, *, still_needed: int) -> str:
    """One line for each reference, and one sentence."""
    return printed(_retired(secrets, style, still_needed), style)


def _retired(secrets: Sequence[Retired], style: Style, still_needed: int) -> Iterator[Text]:
    if not style.quiet:
        for one in secrets:
            uses = ", ".join(f"{address} {field}" for address, field in one.uses)
            yield from hanging(Text(f"{for_terminal(str(one.reference))}  ", "bold"), message(uses), style)
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
