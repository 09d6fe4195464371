"""The actions on the account itself: its webhook consumers, its profile and that one's sync settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from reconciler.kinds import Change, Kind
from reconciler.live import LiveWebhook
from reconciler.model import ACCOUNT_MARK, ProfileValue, SyncSettings
from reconciler.planned import Planned, ShownAction, ShownState
from reconciler.secret_refs import SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWebhook(Planned):
    """``POST /webhooks``: a consumer of events. ``url`` may be a reference; nothing else is a secret."""

    kind: ClassVar[Kind] = Kind.WEBHOOK_CREATE
    company_id: ClassVar[None] = None
    url: str | SecretRef = field(repr=False)
    event_types: tuple[str, ...]
    company_tags: tuple[str, ...] = ()
    disabled: bool = False
    beside: tuple[str, ...] = field(default=(), repr=False)
    """Ids of the consumers of its URL that the plan saw, which tell this creation from an earlier one.

    Of the mark that makes the account ours: of all consumers, since one may be put beside ours meanwhile.
    """

    @property
    def is_mark(self) -> bool:
        """Whether it says whose the account is, and is sent nothing."""
        return isinstance(self.url, str) and self.url.startswith(ACCOUNT_MARK)

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        after = ShownState(
            url=str(self.url),
            event_types=self.event_types,
            company_tags=self.company_tags,
            disabled=self.disabled,
        )
        return replace(self.bare(), after=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWebhook(Planned):
    """``DELETE /webhooks/{id}``: Codat sends that consumer no more events."""

    kind: ClassVar[Kind] = Kind.WEBHOOK_DELETE
    company_id: ClassVar[None] = None
    webhook_id: str
    observed: LiveWebhook = field(repr=False)

    def shown(self) -> ShownAction:
        """What a person may see of it: of the URL only what is surely no secret."""
        before = ShownState(place=self.observed.place, event_types=self.observed.event_types)
        return replace(self.bare(), webhook_id=self.webhook_id, before=before)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfile(Planned):
    """``PUT /profile``: the profile as it was read, but for these members."""

    kind: ClassVar[Kind] = Kind.PROFILE_UPDATE
    company_id: ClassVar[None] = None
    changes: tuple[Change, ...]
    fields: Mapping[str, ProfileValue] = field(repr=False)
    """The members that the spec names and that differ."""

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(self.bare(), changes=self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProfileSyncSettings(Planned):
    """``POST /profile/syncSettings``: what is fetched of every company without settings of its own.

    ``narrows`` are the paths that make Codat drop data that it has synced of ``narrowed`` companies.
    """

    kind: ClassVar[Kind] = Kind.PROFILE_SYNC_SETTINGS
    company_id: ClassVar[None] = None
    changes: tuple[Change, ...]
    settings: SyncSettings = field(repr=False)
    narrows: tuple[str, ...] = ()
    narrowed: int = 0

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(
            self.bare(),
            changes=self.changes,
            narrows=self.narrows or None,
            narrowed_companies=self.narrowed or None,
        )
