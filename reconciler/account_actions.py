"""The actions on the account itself: its webhook consumers, its profile and that one's sync settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reconciler.kinds import Change, Kind, Planned, planned_document
from reconciler.live import LiveWebhook
from reconciler.model import ACCOUNT_MARK, ProfileValue, SyncSettings
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

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return planned_document(
            self,
            after={
                "url": str(self.url),
                "eventTypes": list(self.event_types),
                "companyTags": list(self.company_tags),
                "disabled": self.disabled,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWebhook(Planned):
    """``DELETE /webhooks/{id}``: Codat sends that consumer no more events."""

    kind: ClassVar[Kind] = Kind.WEBHOOK_DELETE
    company_id: ClassVar[None] = None
    webhook_id: str
    observed: LiveWebhook = field(repr=False)

    def document(self) -> dict[str, Any]:
        """The JSON form: of the URL only what is surely no secret."""
        return planned_document(
            self,
            webhookId=self.webhook_id,
            before={"place": self.observed.place, "eventTypes": list(self.observed.event_types)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfile(Planned):
    """``PUT /profile``: the profile as it was read, but for these members."""

    kind: ClassVar[Kind] = Kind.PROFILE_UPDATE
    company_id: ClassVar[None] = None
    changes: tuple[Change, ...]
    fields: Mapping[str, ProfileValue] = field(repr=False)
    """The members that the spec names and that differ."""

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return planned_document(self, changes=[change.document() for change in self.changes])


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

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return planned_document(
            self,
            changes=[change.document() for change in self.changes],
            narrows=list(self.narrows) or None,
            narrowedCompanies=self.narrowed or None,
        )
