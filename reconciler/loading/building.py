"""Sound specs to the desired state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from reconciler.fields import OPTIONAL
from reconciler.loading.references import ReferenceFault
from reconciler.loading.settings import Settings, preconditions
from reconciler.loading.sources import CompanySpec, ConnectionSpec, Specs
from reconciler.loading.values import moment
from reconciler.model import (
    SYNC_FROM_UTC,
    UNSET,
    Desired,
    DesiredAccount,
    DesiredCompany,
    DesiredConnection,
    Precondition,
    PreconditionState,
    SecretRef,
    SettingValue,
    SyncPolicy,
    SyncSettings,
    literal,
    utc_text,
)
from reconciler.wording import read_duration

_UNSAID: Final = SyncPolicy()


def desired(specs: Specs, *, narrowed: bool, account: DesiredAccount | None = None) -> Desired:
    """What the specs want, companies by key. No rule may have found an error in ``specs``.

    The account is of the whole workspace, so a part of it says nothing of that.
    """
    companies = sorted(specs.companies, key=lambda company: company.key)
    return Desired(
        specs.settings.workspace.name,
        {company.key: _company(company, specs.settings) for company in companies},
        narrowed,
        specs.settings.workspace.renamed_from,
        None if narrowed else account,
    )


def _company(company: CompanySpec, settings: Settings) -> DesiredCompany:
    fields = company.entry.fields
    if company.name is None:
        raise ValueError(f"{company.key} has no name")
    return DesiredCompany(
        key=company.key,
        name=company.name,
        **{text.attribute: _literal(fields[text.path]) for text in OPTIONAL if text.path in fields},
        tags={literal(tag): _literal(value) for tag, value in fields.get("tags", {}).items()},
        id=company.id,
        new=fields.get("new", False),
        new_beside=tuple(sorted(one.lower() for one in fields.get("newBeside", ()))),
        renamed_from=fields.get("renamedFrom"),
        protect=fields.get("protect", UNSET),
        products=tuple(sorted(fields["products"] or ())) if "products" in fields else UNSET,
        sync_settings=_sync_settings(fields["syncSettings"])
        if fields.get("syncSettings", {}) != {}
        else UNSET,
        state=company.state,
        connections={one.key: _connection(one, settings) for one in company.connections},
        span=company.entry.span,
    )


def _literal(written: str | None) -> str | None:
    return literal(written) if written is not None else None


def _sync_settings(written: SyncSettings | None) -> SyncSettings | None:
    if written is None:
        return None
    return {
        data_type: {name: _setting(name, value) for name, value in members.items()}
        for data_type, members in written.items()
    }


def _setting(name: str, value: SettingValue) -> SettingValue:
    """A value of a setting; a time as it is compared."""
    read = moment(value) if name == SYNC_FROM_UTC and isinstance(value, str) else None
    return value if read is None else utc_text(read)


def _connection(connection: ConnectionSpec, settings: Settings) -> DesiredConnection:
    platform = connection.platform
    if platform is None:
        raise ValueError(f"{connection.company}/{connection.key} has no platform")
    issued = connection.entry.fields.get("issuedAt")
    return DesiredConnection(
        key=connection.key,
        platform=connection.merged["platform"],
        platform_key=platform.key,
        source_type=platform.source_type,
        migration=connection.migration,
        wanted=connection.wanted,
        id=connection.id,
        authorization=_authorization(connection),
        issued_at=moment(issued) if issued is not None else None,
        sync=_sync(connection.merged.get("sync")),
        preconditions=_preconditions(connection, platform.key, settings),
        renamed_from=connection.entry.fields.get("renamedFrom"),
        span=connection.entry.span,
    )


def _authorization(connection: ConnectionSpec) -> Mapping[str, str | SecretRef]:
    values = connection.authorization
    if any(type(value) is ReferenceFault for value in values.values()):
        raise ValueError(f"{connection.company}/{connection.key} has a reference that is none")
    return cast("Mapping[str, str | SecretRef]", values)


def _preconditions(
    connection: ConnectionSpec, platform_key: str, settings: Settings
) -> Mapping[Precondition, PreconditionState]:
    """The connection's own over its platform's over the workspace's; where it has none, they are shared."""
    shared = settings.of_platform(platform_key)
    own = connection.merged.get("preconditions")
    return {**shared, **preconditions(own)} if own else shared


def _sync(written: str | Mapping[str, Any] | None) -> SyncPolicy:
    if not written:
        return _UNSAID
    if isinstance(written, str):
        return SyncPolicy(never=True)
    age = written.get("maxAge")
    return SyncPolicy(
        max_age=read_duration(age) if age is not None else None,
        data_types=tuple(written.get("dataTypes", ())),
    )
