"""What ``handoff``, ``links`` and ``retired`` do: files for those who go on with a migration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.migration import HandedOver, PlatformPack, Retired, WaitingLink
from reconciler.model import Address, Desired, Migration, Platform, matches, slug
from reconciler.plan import AttentionCode
from reconciler.secret_refs import SecretRef
from reconciler.verification import ConnectionState
from reconciler.verification.connection_states import steps
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.endpoint import run
from reconciler.workflow.new_files import check_empty, check_free, write_directory, write_new
from reconciler.workflow.verifying import Survey, SurveyContext, SurveyRequest, look, survey_context


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
    managed = [state for state in survey.states if state.connection.migration is Migration.MANAGED]
    if not managed:
        raise CodatSyncError(
            Diagnostic(
                CommandCode.NOTHING_TO_HAND_OVER,
                "no connection is migrated by Codat's team, so there is nothing to hand over",
                fix="say 'migration: managed' at the connections whose tokens they import",
            )
        )
    if missing := [state for state in managed if state.live is None]:
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
    for state in managed:
        by_key[state.connection.platform_key].append(state)
    platforms = {platform.key: platform for platform in on.platforms}
    for key, standings in sorted(by_key.items(), key=lambda pair: pair[1][0].connection.platform):
        name = platforms.get(key, Platform(key=key, name=standings[0].connection.platform)).name
        details = on.workspace.platform_details.get(key, {})
        yield PlatformPack(
            name=name,
            slug=slug(name) or key,
            key=key,
            workspace=on.workspace.name,
            details=details,
            connections=tuple(_handed_over(standing) for standing in standings),
            steps=steps(standings, has_details=bool(details)),
        )


def _handed_over(standing: ConnectionState) -> HandedOver:
    company, live = standing.live_company, standing.live
    if company is None or live is None:
        raise ValueError(f"{standing.address} is not in Codat")
    return HandedOver(
        address=standing.address,
        company=company.name,
        company_id=company.id,
        connection_id=live.id,
        status=live.status,
    )


async def _survey(request: SurveyRequest) -> tuple[Survey, SurveyContext]:
    async with survey_context(request) as on:
        return await look(on), on


FOR_THE_CUSTOMER: Final = (AttentionCode.LINK, AttentionCode.RELINK)
"""Attention that ends when the customer goes through the link URL."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The connections that wait for their customer, and how many are not in Codat yet."""

    links: tuple[WaitingLink, ...]
    not_created: int


def links(request: SurveyRequest, out: Path, write: Callable[[Sequence[WaitingLink]], str]) -> Linked:
    """Write the link URLs of connections that wait for a customer to ``out``, for its owner alone to read.

    Nothing is written where none waits. ``write`` makes the file's text.

    Raises:
        CodatSyncError: ``out`` is there already or cannot be written, specs, flags or credentials are
            wrong, or Codat cannot be read.
    """
    check_free(out)
    survey = run(_survey_links(request))
    waiting = [state for state in survey.states if _waits_for_customer(state)]
    found = tuple(link for state in waiting if (link := _link(state)) is not None)
    if found:
        write_new(out, write(found))
    return Linked(found, sum(state.live is None for state in waiting))


def _waits_for_customer(standing: ConnectionState) -> bool:
    return standing.attention is not None and standing.attention.code in FOR_THE_CUSTOMER


def _link(standing: ConnectionState) -> WaitingLink | None:
    company, live = standing.live_company, standing.live
    if company is None or live is None or live.link_url is None:
        return None
    return WaitingLink(
        address=standing.address,
        company=company.name,
        company_id=company.id,
        connection_id=live.id,
        platform=standing.connection.platform,
        status=live.status,
        url=live.link_url,
    )


async def _survey_links(request: SurveyRequest) -> Survey:
    async with survey_context(request) as on:
        return await look(on)


@dataclass(frozen=True, slots=True)
class RetiredSecrets:
    """The secrets to destroy, and how many are kept back because another connection still needs them."""

    secrets: tuple[Retired, ...]
    still_needed: int


def retired(request: SurveyRequest) -> RetiredSecrets:
    """The secret references of which every connection is Linked; no value is resolved.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    targets = request.targets
    survey, desired = run(_survey_everything(request))
    linked = {state.address for state in survey.states if state.is_linked}
    uses = _uses(desired)
    concerned = {
        ref: found
        for ref, found in uses.items()
        if not targets or any(matches(pattern, address) for pattern in targets for address, _ in found)
    }
    done = {ref: found for ref, found in concerned.items() if all(address in linked for address, _ in found)}
    shared = sum(
        ref not in done and any(address in linked for address, _ in found) for ref, found in concerned.items()
    )
    return RetiredSecrets(
        tuple(
            Retired(ref, tuple(found)) for ref, found in sorted(done.items(), key=lambda pair: str(pair[0]))
        ),
        shared,
    )


def _uses(desired: Desired) -> Mapping[SecretRef, list[tuple[Address, str]]]:
    """Where the specs use each secret."""
    found: defaultdict[SecretRef, list[tuple[Address, str]]] = defaultdict(list)
    for key, company in sorted(desired.companies.items()):
        for name, connection in sorted(company.connections.items()):
            for field, value in sorted(connection.authorization.items()):
                if isinstance(value, SecretRef):
                    found[value].append((Address(key, name), field))
    return found


async def _survey_everything(request: SurveyRequest) -> tuple[Survey, Desired]:
    """A look beyond the targets: a secret may belong to other connections too."""
    async with survey_context(request) as on:
        return await look(on, everywhere=True), on.desired
