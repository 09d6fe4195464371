"""From specs in which no rule found an error to what they want: the frozen nouns of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from reconciler.fields import OPTIONAL
from reconciler.loading.references import ReferenceFault
from reconciler.loading.sources import (
    CompanySpec,
    ConnectionSpec,
    Settings,
    SourceAccountSpec,
    preconditions,
)
from reconciler.loading.words import moment
from reconciler.model import (
    SYNC_FROM_UTC,
    UNSET,
    DesiredCompany,
    DesiredConnection,
    DesiredSourceAccount,
    Precondition,
    PreconditionState,
    SettingValue,
    SyncPolicy,
    SyncSettings,
    utc_text,
)
from reconciler.secret_refs import SecretRef, literal
from reconciler.wording import read_duration

_UNSAID: Final = SyncPolicy()


def company(spec: CompanySpec, settings: Settings) -> DesiredCompany:
    """What the spec of a company wants."""
    fields = spec.entry.fields
    if spec.name is None:
        raise ValueError(f"{spec.key} has no name")
    return DesiredCompany(
        key=spec.key,
        name=spec.name,
        **{text.attribute: _literal(fields[text.path]) for text in OPTIONAL if text.path in fields},
        tags={literal(tag): _literal(value) for tag, value in fields.get("tags", {}).items()},
        id=spec.id,
        new=fields.get("new", False),
        new_beside=tuple(sorted(identifier.lower() for identifier in fields.get("newBeside", ()))),
        renamed_from=fields.get("renamedFrom"),
        protect=fields.get("protect", UNSET),
        products=tuple(sorted(fields["products"] or ())) if "products" in fields else UNSET,
        sync_settings=_sync_settings(fields["syncSettings"])
        if fields.get("syncSettings", {}) != {}
        else UNSET,
        state=spec.state,
        connections={link.key: connection(link, settings) for link in spec.connections},
        span=spec.entry.span,
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


def connection(spec: ConnectionSpec, settings: Settings) -> DesiredConnection:
    """What the spec of a connection wants."""
    platform = spec.platform
    if platform is None:
        raise ValueError(f"{spec.company}/{spec.key} has no platform")
    issued = spec.entry.fields.get("issuedAt")
    return DesiredConnection(
        key=spec.key,
        platform=spec.merged["platform"],
        platform_key=platform.key,
        source_type=platform.source_type,
        migration=spec.migration,
        wanted=spec.wanted,
        id=spec.id,
        authorization=_authorization(spec),
        issued_at=moment(issued) if issued is not None else None,
        sync=_sync(spec.merged.get("sync")),
        preconditions=_preconditions(spec, platform.key, settings),
        renamed_from=spec.entry.fields.get("renamedFrom"),
        source_accounts={account.id: _source_account(account) for account in spec.source_accounts},
        span=spec.entry.span,
    )


def _source_account(account: SourceAccountSpec) -> DesiredSourceAccount:
    fields = account.entry.fields
    return DesiredSourceAccount(
        key=account.id,
        name=literal(fields.get("accountName", "")),
        type=fields.get("accountType", ""),
        currency=fields.get("currency", ""),
        numbers={name: ref for name, ref in account.numbers.items() if isinstance(ref, SecretRef)},
        state=account.state,
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
