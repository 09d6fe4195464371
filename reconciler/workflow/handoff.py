"""What ``handoff`` does: write what Codat's team needs to import tokens, and never a token."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.migration import HandedOver, PlatformPack
from reconciler.model import Migration, Platform, slug
from reconciler.planner import ConnectionState
from reconciler.planner.steps import steps
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.new_files import check_empty, write_directory
from reconciler.workflow.running import run
from reconciler.workflow.surveying import Survey, SurveyContext, SurveyRequest, look, survey_context


@dataclass(frozen=True, slots=True)
class Handoff:
    """What was written for Codat's team."""

    packs: tuple[PlatformPack, ...]
    files: tuple[Path, ...]


def handoff(request: SurveyRequest, out: Path, write: Callable[[PlatformPack], Mapping[str, str]]) -> Handoff:
    """Write the pack that Codat's team needs for managed migrations, whole or not at all.

    ``write`` makes the files of one platform: names and texts.

    Raises:
        CodatSyncError: ``out`` holds files already or cannot be written, there is nothing to hand over,
            or some of it is not in Codat yet; specs, flags or credentials are wrong.
    """
    check_empty(out)
    survey, on = run(_survey(request))
    managed = [one for one in survey.states if one.connection.migration is Migration.MANAGED]
    if not managed:
        raise CodatSyncError(
            Diagnostic(
                CommandCode.NOTHING_TO_HAND_OVER,
                "no connection is migrated by Codat's team, so there is nothing to hand over",
                fix="say 'migration: managed' at the connections whose tokens they import",
            )
        )
    if missing := [one for one in managed if one.live is None]:
        raise CodatSyncError(*map(_not_ready, missing))
    packs = tuple(_packs(managed, on))
    texts = {name: text for pack in packs for name, text in write(pack).items()}
    write_directory(out, texts)
    return Handoff(packs, tuple(out / name for name in sorted(texts)))


def _not_ready(standing: ConnectionState) -> Diagnostic:
    note = standing.attention
    why = f" ({note.code}: {note.message})" if note and standing.is_blocked else ""
    return Diagnostic(
        CommandCode.NOT_IN_CODAT_YET,
        f"it is not in Codat yet{why}, so it has no id to hand over",
        fix="run apply first, or choose what is there with --target",
        path=str(standing.address),
    )


def _packs(managed: Iterable[ConnectionState], on: SurveyContext) -> Iterable[PlatformPack]:
    by_key: defaultdict[str, list[ConnectionState]] = defaultdict(list)
    for one in managed:
        by_key[one.connection.platform_key].append(one)
    platforms = {one.key: one for one in on.platforms}
    for key, standings in sorted(by_key.items(), key=lambda one: one[1][0].connection.platform):
        name = platforms.get(key, Platform(key, standings[0].connection.platform)).name
        details = on.workspace.platform_details.get(key, {})
        yield PlatformPack(
            name,
            slug(name) or key,
            key,
            on.workspace.name,
            details,
            tuple(_handed_over(one) for one in standings),
            steps(standings, has_details=bool(details)),
        )


def _handed_over(standing: ConnectionState) -> HandedOver:
    company, live = standing.live_company, standing.live
    if company is None or live is None:
        raise ValueError(f"{standing.address} is not in Codat")
    return HandedOver(standing.address, company.name, company.id, live.id, live.status)


async def _survey(request: SurveyRequest) -> tuple[Survey, SurveyContext]:
    async with survey_context(request) as on:
        return await look(on), on
