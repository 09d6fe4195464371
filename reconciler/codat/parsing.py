"""Codat's objects as nouns of ours. Each function reads one object; what we do not use is not looked at.

The shapes are those of the Platform API (https://docs.codat.io/platform-api); every function raises
``WrongShapeError`` naming the path where an answer departs from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from sys import intern
from typing import Any, Final, cast

from reconciler.codat.reading import Node
from reconciler.fields import OPTIONAL
from reconciler.live import (
    DataStatus,
    LiveCompany,
    LiveConnection,
    LiveError,
    LiveProfile,
    LiveProfileSettings,
    LiveSourceAccount,
    LiveSyncSettings,
    LiveWebhook,
    Pull,
    PullState,
    Status,
)
from reconciler.model import (
    FETCH_ON_FIRST_LINK,
    LINKS_TAG,
    SYNC_FROM_UTC,
    WORKSPACE_TAG,
    Platform,
    ProfileValue,
    SettingValue,
    SourceType,
    sent_marks,
    short_id,
    utc_text,
)
from reconciler.secret_refs import Secret

STATUSES: Final[Mapping[str, Status]] = {status.value.lower(): status for status in Status}
SOURCE_TYPES: Final[Mapping[str, SourceType]] = {
    source_type.value.lower(): source_type for source_type in SourceType
}

PULL_STATES: Final[Mapping[str, PullState]] = {
    **dict.fromkeys(
        (
            "initial",
            "queued",
            "fetching",
            "mapqueued",
            "mapping",
            "processingqueued",
            "processing",
            "validationqueued",
            "validating",
        ),
        PullState.RUNNING,
    ),
    **dict.fromkeys(("complete", "notsupported"), PullState.DONE),
    **dict.fromkeys(
        (
            "fetcherror",
            "maperror",
            "internalerror",
            "processingerror",
            "validationerror",
            "autherror",
            "cancelled",
            "ratelimiterror",
            "permissionserror",
            "prerequisitenotmet",
        ),
        PullState.FAILED,
    ),
}
"""What each status means (https://docs.codat.io/core-concepts/status), in lower case."""


_NOTHING: Final = type(None)
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "tags": (dict, _NOTHING),
    "products": (list, _NOTHING),
    "dataConnections": (list, _NOTHING),
    **{text.wire: (str, _NOTHING) for text in OPTIONAL},
}
"""What stands under those members of a company that may be missing."""
_TEXT_ALONE: Final = {str}
_SHARED_TAGS: Final = frozenset({WORKSPACE_TAG, LINKS_TAG})
"""Tags whose value most companies have alike."""
NOT_THERE: Final = frozenset({"notsupported", "notimplemented"})
"""States of a feature that a platform does not have, in lower case."""


def company(node: Node) -> LiveCompany:
    """A company, with the connections that Codat embeds in it."""
    return _plain_company(node.value) or _careful_company(node)


def _careful_company(node: Node) -> LiveCompany:
    """The same, with the path of whatever departs from the documented shape."""
    tags = {str(tag.name): tag.text() for tag in node.get("tags").members()}
    marks = sent_marks(tags)
    connections = (connection(embedded) for embedded in node.get("dataConnections").items())
    texts: dict[str, Any] = {text.attribute: node.get(text.wire).optional_text() for text in OPTIONAL}
    return LiveCompany(
        id=node.get("id").identifier(),
        name=node.get("name").optional_text() or "",
        **texts,
        tags=tags,
        created=node.get("created").optional_moment(),
        connections=tuple(
            replace(connection, sent=marks.get(short_id(connection.id), "")) for connection in connections
        ),
        products=tuple(product.text() for product in node.get("products").items()),
    )


def connection(node: Node) -> LiveConnection:
    """A connection. A status that this version does not know is ``Status.UNKNOWN``, never a guess."""
    link_url = node.get("linkUrl").optional_text()
    return LiveConnection(
        id=node.get("id").identifier(),
        platform_key=node.get("integrationKey").optional_text() or "",
        platform_name=node.get("platformName").optional_text() or "",
        status=STATUSES.get(node.get("status").text().lower(), Status.UNKNOWN),
        source_type=_source_type(node.get("sourceType")),
        created=node.get("created").optional_moment(),
        last_sync=node.get("lastSync").optional_moment(),
        errors=tuple(_error(error) for error in node.get("dataConnectionErrors").items()),
        link_url=Secret(link_url) if link_url else None,
    )


# --- the quick way -----------------------------------------------------------------------------
#
# A listing has tens of thousands of objects, and in nearly all of them is nothing odd. These read plain
# values, and answer nothing where one is not as documented, or is rare: then the way above has the words.


def _plain_company(value: Any) -> LiveCompany | None:
    try:
        tags = {name: tag for name, tag in (value.get("tags") or {}).items() if tag is not None}
        for ours in _SHARED_TAGS & tags.keys():
            tags[ours] = intern(tags[ours])
        marks = sent_marks(tags)
        links = [_plain_connection(each, marks) for each in value.get("dataConnections") or ()]
        texts = {text.attribute: value.get(text.wire) for text in OPTIONAL}
        found = LiveCompany(
            id=value["id"],
            name=value["name"],
            **texts,
            tags=tags,
            created=_plain_moment(value.get("created")),
            connections=tuple([link for link in links if link is not None]),
            products=tuple(value.get("products") or ()),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None
    told = {type(text) for text in (found.id, found.name, *tags.values(), *found.products)}
    is_documented = all(type(value.get(name)) in kinds for name, kinds in _KINDS.items())
    is_plain = is_documented and bool(found.id) and len(found.connections) == len(links)
    return found if is_plain and told == _TEXT_ALONE else None


def _plain_connection(value: dict[str, Any], marks: Mapping[str, str]) -> LiveConnection | None:
    identifier, key, name = value["id"], value["integrationKey"], value["platformName"]
    status, url = STATUSES.get(value["status"].lower()), value["linkUrl"]
    source_type = SOURCE_TYPES.get((value.get("sourceType") or "").lower())
    is_rare = status is None or source_type is None or value.get("dataConnectionErrors")
    if is_rare or not identifier or not (type(identifier) is type(key) is type(name) is type(url) is str):
        return None
    return LiveConnection(
        id=identifier,
        platform_key=intern(key),
        platform_name=intern(name),
        status=cast("Status", status),
        source_type=cast("SourceType", source_type),
        created=_plain_moment(value.get("created")),
        last_sync=_plain_moment(value.get("lastSync")),
        errors=(),
        link_url=Secret(url) if url else None,
        sent=marks.get(short_id(identifier), "") if marks else "",
    )


def _plain_moment(text: str | None) -> datetime | None:
    if text is None or text == "":
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# --- the rest ----------------------------------------------------------------------------------


def _error(node: Node) -> LiveError:
    """An error that Codat recorded; open unless Codat says that it is resolved, by status or by date."""
    status = node.get("status").optional_text()
    resolved = node.get("resolvedOnUtc").optional_moment() is not None
    return LiveError(
        message=node.get("errorMessage").optional_text() or node.get("statusText").optional_text() or "",
        status_code=_text_or_number(node.get("statusCode")),
        erred_at=node.get("erroredOnUtc").optional_moment(),
        active=status.lower() != "resolved" if status else not resolved,
    )


def _text_or_number(node: Node) -> str:
    """A status code, which the document writes as text and some answers as a number."""
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return str(node.value)
    return node.optional_text() or ""


def _source_type(node: Node) -> SourceType:
    return SOURCE_TYPES.get((node.optional_text() or "").lower(), SourceType.UNKNOWN)


def platform(node: Node) -> Platform:
    """An integration."""
    return Platform(
        key=node.get("key").identifier(),
        name=node.get("name").text(),
        source_type=_source_type(node.get("sourceType")),
        enabled=node.get("enabled").flag(default=True),
        is_offline=node.get("isOfflineConnector").flag(default=False),
        data_types=frozenset(_data_types(node.get("datatypeFeatures"))),
    )


def _data_types(node: Node) -> Iterator[str]:
    """The data types of a platform's features; the document spells the member in two ways."""
    for feature in node.items():
        written = feature.get("dataType").optional_text() or feature.get("datatype").optional_text()
        if written and _can_be_fetched(feature.get("supportedFeatures")):
            yield written


def _can_be_fetched(node: Node) -> bool:
    features = [
        (
            (feature.get("featureType").optional_text() or ""),
            (feature.get("featureState").optional_text() or ""),
        )
        for feature in node.items()
    ]
    return any(kind.lower() == "get" and state.lower() not in NOT_THERE for kind, state in features)


def pull(node: Node) -> Pull:
    """A pull operation of one data type on one connection."""
    return Pull(
        id=node.get("id").identifier(),
        connection_id=node.get("connectionId").text(),
        data_type=node.get("dataType").text(),
        status=node.get("status").text(),
        state=_pull_state(node),
        requested=node.get("requested").moment(),
        completed=node.get("completed").optional_moment(),
    )


def _pull_state(node: Node) -> PullState:
    """What a pull's status means.

    A status that this version does not know is read by Codat's own two flags; where they say
    neither, the pull counts as running: a sync beside one that runs is refused by Codat, a sync
    that waits is not lost.
    """
    known = PULL_STATES.get(node.get("status").text().lower())
    if known is not None:
        return known
    if node.get("isErrored").flag(default=False):
        return PullState.FAILED
    return PullState.DONE if node.get("isCompleted").flag(default=False) else PullState.RUNNING


def data_statuses(node: Node) -> tuple[DataStatus, ...]:
    """The status of each data type that was ever synced; the others have none.

    A status that this version does not know counts as running: it may still end well.
    """
    statuses = ((member, member.get("currentStatus").optional_text()) for member in node.members())
    return tuple(
        DataStatus(
            data_type=member.get("dataType").optional_text() or str(member.name),
            status=status,
            state=PULL_STATES.get(status.lower(), PullState.RUNNING),
        )
        for member, status in statuses
        if status
    )


def fetched_types(node: Node) -> frozenset[str]:
    """The data types of sync settings that are fetched on first link."""
    return frozenset(
        setting.get("dataType").text()
        for setting in node.get("settings").items()
        if setting.get(FETCH_ON_FIRST_LINK).flag(default=False)
    )


def sync_settings(node: Node) -> LiveSyncSettings:
    """A company's sync settings; every member is read, since who sets one must send them all."""
    return LiveSyncSettings(
        {
            setting.get("dataType").identifier(): dict(_members(setting))
            for setting in node.get("settings").items()
        },
        are_own=node.get("overridesDefaults").flag(default=False),
    )


def _members(setting: Node) -> Iterator[tuple[str, SettingValue]]:
    for member in setting.members():
        if member.name == "dataType":
            continue
        if not isinstance(member.value, bool | int | float | str):
            raise member.wrong("text, a number, true or false")
        yield str(member.name), utc_text(member.moment()) if member.name == SYNC_FROM_UTC else member.value


PROFILE_TEXTS: Final = ("logoUrl", "iconUrl", "redirectUrl")
PROFILE_LISTS: Final = ("whiteListUrls",)


def profile(node: Node) -> LiveProfile:
    """The profile; whatever else stands in it is kept for whoever writes it whole, and shown to nobody."""
    fields: dict[str, ProfileValue] = {
        name: node.get(name).optional_text() or "" for name in PROFILE_TEXTS
    } | {name: tuple(part.text() for part in node.get(name).items()) for name in PROFILE_LISTS}
    return LiveProfile(name=node.get("name").text(), fields=fields, whole=Secret(json.dumps(node.value)))


def profile_sync_settings(node: Node) -> LiveProfileSettings:
    """The profile's sync settings."""
    return LiveProfileSettings(node.get("clientId").optional_text() or "", sync_settings(node))


def webhooks(node: Node) -> tuple[LiveWebhook, ...]:
    """Every webhook consumer; the answer has no pages."""
    return tuple(webhook(result) for result in node.get("results").items())


def webhook(node: Node) -> LiveWebhook:
    """A webhook consumer."""
    return LiveWebhook(
        id=node.get("id").identifier(),
        url=Secret(node.get("url").text()),
        event_types=tuple(sorted(event_type.text() for event_type in node.get("eventTypes").items())),
        company_tags=tuple(sorted(event_type.text() for event_type in node.get("companyTags").items())),
        disabled=node.get("disabled").flag(default=False),
    )


def source_accounts(node: Node) -> tuple[LiveSourceAccount, ...]:
    """Every source account of a connection; the answer is the list itself, without pages."""
    return tuple(map(source_account, node.items()))


def source_account(node: Node) -> LiveSourceAccount:
    """A source account: both versions of the schema name these members alike."""
    return LiveSourceAccount(
        id=node.get("id").identifier(),
        name=node.get("accountName").optional_text() or "",
        type=node.get("accountType").optional_text() or "",
        currency=node.get("currency").optional_text() or "",
        status=node.get("status").optional_text() or "",
    )
