"""Rules about connections that no schema can say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from reconciler.diagnostics import Severity
from reconciler.loading.nodes import Entry
from reconciler.loading.platforms import PUBLISHED
from reconciler.loading.references import ReferenceFault
from reconciler.loading.sources import (
    SOURCE_ACCOUNTS,
    AuthorizationCheck,
    CompanySpec,
    ConnectionSpec,
    Rule,
    RuleFinding,
    SourceAccountSpec,
    Specs,
    at_entry,
    at_key,
    at_value,
)
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import AUTHORIZATION, moment, shown
from reconciler.model import (
    ACCOUNT_NUMBER,
    MAX_TAG_VALUE,
    Mark,
    Migration,
    Presence,
    SourceType,
    Wanted,
    links_tag,
)
from reconciler.secret_refs import REFERENCE_ADVICE, SecretRef

_ID_SUFFIX: Final = "Id"
_CLOCKS_DIFFER: Final = timedelta(days=1)
"""How far ahead the clock may be of whoever wrote down when tokens were issued."""
_OF_THE_APPLICATION: Final = ("client", "app")
"""How fields begin that hold what is yours, not a customer's."""
_OF_AN_ACCOUNT: Final = ("accountName", "accountType", "currency", ACCOUNT_NUMBER)
"""What Codat requires of a source account when it is created, its balance aside."""
_WITHOUT_FEEDS: Final = (SourceType.BANKING, SourceType.COMMERCE, SourceType.EXPENSE)
"""Bank feeds of Oracle NetSuite, Xero and FreeAgent have the keys of accounting platforms."""
_SOME_ID: Final = Mark(id="00000000")


def _platform_missing(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        if "platform" not in connection.merged and not connection.entry.wrote("platform"):
            fix = "write platform: quickbooks-online"
            yield at_entry(connection.entry, "the field 'platform' is missing", fix)


def _platform_unknown(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        written = connection.entry.fields.get("platform")
        if written is not None and connection.platform is None:
            yield at_value(connection.entry, "platform", *specs.platforms.unknown(written))


def _platform_unlisted(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        written, platform = connection.entry.fields.get("platform"), connection.platform
        if written is not None and platform is not None and not specs.platforms.lists(platform):
            yield at_value(connection.entry, "platform", *specs.platforms.unlisted(written))


def _several_linked(source_type: SourceType, noun: str, specs: Specs) -> Iterator[RuleFinding]:
    for company in specs.companies:
        if company.state is Presence.ABSENT:
            continue
        linked = [connection for connection in company.connections if _is_linked(connection, source_type)]
        for other in linked[1:]:
            first = linked[0]
            summary = f"a company has at most one linked {noun}"
            fix = f"{first.key} is one already, at {first.entry.span}; give one of the two another state"
            yield at_entry(other.entry, summary, fix)


def _is_linked(connection: ConnectionSpec, source_type: SourceType) -> bool:
    platform = connection.platform
    return connection.wanted is Wanted.LINKED and platform is not None and platform.source_type is source_type


def unpinned(company: CompanySpec) -> tuple[ConnectionSpec, ...]:
    """The connections that only a record tells apart: several of one platform, without an id."""
    several = (group for group in _by_platform(company).values() if len(group) > 1)
    return tuple(connection for group in several for connection in group if connection.id is None)


def _by_platform(company: CompanySpec) -> Mapping[str, list[ConnectionSpec]]:
    """The connections that shall not be absent, by their platforms' keys."""
    groups: defaultdict[str, list[ConnectionSpec]] = defaultdict(list)
    for connection in company.connections:
        if connection.platform is not None and connection.wanted is not Wanted.ABSENT:
            groups[connection.platform.key].append(connection)
    return groups


def _record_too_long(specs: Specs) -> Iterator[RuleFinding]:
    for company in specs.companies:
        marks = {
            connection.key: Mark(platform_key=platform) if len(group) == 1 else _SOME_ID
            for platform, group in _by_platform(company).items()
            for connection in group
            if connection.id is None
        }
        recorded, length = len(marks), len(links_tag(marks))
        if length > MAX_TAG_VALUE and company.state is Presence.PRESENT:
            summary = f"the record of which of {recorded} connections is which takes {length} characters"
            fix = f"a tag holds {MAX_TAG_VALUE}: pin some connections by `id`, or shorten their keys"
            yield at_key(company.entry, "connections", summary, fix)


def _time_wrong(specs: Specs) -> Iterator[RuleFinding]:
    return wrong_times((connection.entry for connection in specs.connections), "issuedAt")


def _issued_in_future(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        written = connection.entry.fields.get("issuedAt")
        issued = moment(written) if written is not None else None
        if issued is not None and issued > specs.now + _CLOCKS_DIFFER:
            summary = "these tokens would be newer than everything that Codat records, for ever"
            yield at_value(
                connection.entry, "issuedAt", summary, "write when they were issued, not until when"
            )


def wrong_times(entries: Iterable[Entry], field: str) -> Iterator[RuleFinding]:
    """A finding at the field of every entry that should hold a time, and does not."""
    for entry in entries:
        written = entry.fields.get(field)
        if written is not None and moment(written) is None:
            summary = "this is not an ISO 8601 time with a zone"
            yield at_value(entry, field, summary, 'write it as "2026-11-20T09:00:00Z"')


def _authorization_missing(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        if (
            connection.migration is Migration.SELF_SERVICE
            and connection.wanted is Wanted.LINKED
            and not connection.entry.wrote(AUTHORIZATION)
        ):
            fix = "write authorization, or say how it gets linked: migration: managed or link"
            yield at_entry(connection.entry, "there is no authorization to link it with", fix)


def _authorization_unused(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        if connection.authorization and connection.migration is not Migration.SELF_SERVICE:
            summary = f"this is never sent, because migration is {connection.migration.value}"
            fix = "remove it, or set migration: self-service"
            yield at_key(connection.entry, AUTHORIZATION, summary, fix)


def _authorization_literal(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        fields = connection.fields
        if fields is None:
            continue
        for name, value in connection.authorization.items():
            if isinstance(value, str) and _is_secret(name, connection, specs):
                summary = "a secret must not stand in a spec"
                yield at_value(fields, name, summary, REFERENCE_ADVICE + _permission(name, connection))


def _is_secret(field: str, connection: ConnectionSpec, specs: Specs) -> bool:
    by_name = not field.endswith(_ID_SUFFIX)
    if connection.platform is None:
        return by_name
    return specs.settings.platform(connection.platform.key).secret_fields.get(field, by_name)


def _permission(field: str, connection: ConnectionSpec) -> str:
    """How to say that a field is no secret."""
    if connection.platform is None:
        return ""
    setting = f"platforms.{connection.platform.slug}.fields.{shown(field)}.secret: false"
    return f"; if it is no secret, set {setting} in workspace.yaml"


def is_used_once(field: str) -> bool:
    """Whether what stands in a field of an authorization is a customer's: no other may have the same."""
    return not field.lower().startswith(_OF_THE_APPLICATION)


def _reference_shared(specs: Specs) -> Iterator[RuleFinding]:
    """Tokens that two connections would send: the first use makes them stale for the second.

    What belongs to your application may be shared, such as a ``clientSecret``.
    """
    first: dict[SecretRef, ConnectionSpec] = {}
    for connection in specs.connections:
        fields = connection.fields
        for name, value in connection.authorization.items() if fields is not None else ():
            if not isinstance(value, SecretRef) or not is_used_once(name):
                continue
            other = first.setdefault(value, connection)
            if other is connection or fields is None or not _is_secret(name, connection, specs):
                continue
            here, there = (f"{holder.company}/{holder.key}" for holder in (connection, other))
            summary = f"{here} and {there} send the same secret, and tokens work once"
            place = f"the other stands at {other.entry.span}"
            fix = f"{place}; give each its own, or take the one out that no longer needs it"
            yield at_value(fields, name, summary, fix)
            break


def _authorization_misfit(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        if connection.platform is None or not connection.authorization:
            continue
        check, source = specs.settings.platform(connection.platform.key).check, "workspace.yaml names"
        if check is None:
            check, source = _published(connection.platform.slug), "Codat's docs give"
        for sentence in check(connection.authorization) if check is not None else ():
            summary = f"does not fit the schema that {source} for {connection.platform.name}"
            yield at_key(connection.entry, AUTHORIZATION, summary, sentence)


def _published(slug: str) -> AuthorizationCheck | None:
    """The check for a platform whose fields a public page of Codat's states; ``None`` for most."""
    if slug not in PUBLISHED:
        return None
    # Most specs name no such platform, and start without jsonschema.
    from reconciler.loading import authorization_schema

    return authorization_schema.published(slug)


def _source_account_incomplete(specs: Specs) -> Iterator[RuleFinding]:
    for account in _source_accounts(specs):
        lacking = [name for name in _OF_AN_ACCOUNT if not account.entry.wrote(name)]
        if lacking and account.state is Presence.PRESENT:
            fix = "write them, or state: absent to delete the account"
            yield at_entry(account.entry, f"a source account needs {' and '.join(lacking)}", fix)


def _account_number_literal(specs: Specs) -> Iterator[RuleFinding]:
    for account in _source_accounts(specs):
        for name, value in account.numbers.items():
            if isinstance(value, str):
                summary = "what belongs to a customer alone must not stand in a spec"
                yield at_value(account.entry, name, summary, REFERENCE_ADVICE)


def _not_a_bank_feed(specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        platform = connection.platform
        if connection.source_accounts and platform and platform.source_type in _WITHOUT_FEEDS:
            summary = f"{platform.name} is no platform that a bank feed writes to"
            yield at_key(connection.entry, SOURCE_ACCOUNTS, summary, "move it to the bank feed's connection")


def _source_accounts(specs: Specs) -> Iterator[SourceAccountSpec]:
    return (account for connection in specs.connections for account in connection.source_accounts)


def _faults(code: SpecCode, specs: Specs) -> Iterator[RuleFinding]:
    for connection in specs.connections:
        for name, value in connection.authorization.items():
            if isinstance(value, ReferenceFault) and value.code is code and connection.fields is not None:
                yield at_value(connection.fields, name, value.summary, value.fix)
    for account in _source_accounts(specs):
        for name, value in account.numbers.items():
            if isinstance(value, ReferenceFault) and value.code is code:
                yield at_value(account.entry, name, value.summary, value.fix)


CONNECTION_RULES: Final = (
    Rule(SpecCode.MISSING_FIELD, _platform_missing),
    Rule(SpecCode.UNKNOWN_PLATFORM, _platform_unknown),
    Rule(SpecCode.UNLISTED_PLATFORM, _platform_unlisted, Severity.WARNING),
    Rule(
        SpecCode.SEVERAL_ACCOUNTING, partial(_several_linked, SourceType.ACCOUNTING, "accounting connection")
    ),
    Rule(SpecCode.SEVERAL_BANK_FEEDS, partial(_several_linked, SourceType.BANK_FEED, "bank feed")),
    Rule(SpecCode.ID_REQUIRED, _record_too_long),
    Rule(SpecCode.WRONG_TIME, _time_wrong),
    Rule(SpecCode.ISSUED_IN_FUTURE, _issued_in_future, Severity.WARNING),
    Rule(SpecCode.AUTHORIZATION_MISSING, _authorization_missing),
    Rule(SpecCode.AUTHORIZATION_UNUSED, _authorization_unused, Severity.WARNING),
    Rule(SpecCode.AUTHORIZATION_LITERAL, _authorization_literal),
    Rule(SpecCode.AUTHORIZATION_SCHEMA, _authorization_misfit),
    Rule(SpecCode.MISSING_FIELD, _source_account_incomplete),
    Rule(SpecCode.ACCOUNT_NUMBER_LITERAL, _account_number_literal),
    Rule(SpecCode.NOT_A_BANK_FEED, _not_a_bank_feed),
    Rule(SpecCode.REFERENCE_SHARED, _reference_shared, Severity.WARNING),
    *(
        Rule(code, partial(_faults, code))
        for code in (
            SpecCode.REFERENCE_PARTIAL,
            SpecCode.REFERENCE_SCHEME,
            SpecCode.REFERENCE_FORM,
            SpecCode.REFERENCE_RESERVED,
            SpecCode.REFERENCE_OUTSIDE_ROOT,
        )
    ),
)
