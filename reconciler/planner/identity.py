"""Which live company is meant: by our two tags, by ``renamedFrom``, or by ``id``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model import KEY_TAG, UNSET, Desired, DesiredCompany, LiveCompany, Presence
from reconciler.planner.company_rules import Found


@dataclass(frozen=True, slots=True)
class Match:
    """What was found for a wanted company; ``live`` where it is one, ``others`` what a message names."""

    found: Found
    live: LiveCompany | None = None
    others: tuple[LiveCompany, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """The live companies, to be looked up by id, (workspace, key) and name, and what the specs claim."""

    desired: Desired
    by_id: Mapping[str, LiveCompany]
    by_owner: Mapping[tuple[str, str], Sequence[LiveCompany]]
    by_name: Mapping[str, Sequence[LiveCompany]]
    keys: frozenset[str]
    """Every key that some spec speaks for, by its own name or by ``renamedFrom``."""
    ids: frozenset[str]
    """Every company id that some spec names."""

    @classmethod
    def of(cls, desired: Desired, companies: Iterable[LiveCompany]) -> Directory:
        """Index ``companies``; each list is in the order of ids, whatever the listing's order was."""
        by_id: dict[str, LiveCompany] = {}
        by_owner: defaultdict[tuple[str, str], list[LiveCompany]] = defaultdict(list)
        by_name: defaultdict[str, list[LiveCompany]] = defaultdict(list)
        for company in sorted(companies, key=lambda one: one.id):
            by_id[company.id] = company
            by_name[company.name].append(company)
            if owner := company.owner():
                by_owner[owner].append(company)
        wanted = desired.companies.values()
        return cls(
            desired,
            by_id,
            by_owner,
            by_name,
            frozenset(desired.companies) | {one.renamed_from for one in wanted if one.renamed_from},
            frozenset(one.id for one in wanted if one.id),
        )

    def match(self, company: DesiredCompany) -> Match:
        """Find the live company that ``company`` means."""
        ours = self._carrying(company)
        if company.id is not None:
            found = self._by_id(company.id, ours)
            # What is to be deleted is there, under another id: a slip that must not look like done.
            is_elsewhere = found.found is Found.MISSING and ours and company.state is Presence.ABSENT
            return Match(Found.CONFLICT, others=ours) if is_elsewhere else found
        if len(ours) > 1:
            return Match(Found.DUPLICATE, others=ours)
        if ours:
            return Match(Found.OURS, ours[0])
        namesakes = tuple(one for one in self.by_name.get(company.name, ()) if self._is_free(one))
        return Match(Found.NAMESAKE, others=namesakes) if namesakes else Match(Found.NONE)

    def orphans(self) -> tuple[LiveCompany, ...]:
        """Companies of our workspace that no spec names any more, by key and id."""
        managed = (one for companies in self.by_owner.values() for one in companies)
        return tuple(sorted(filter(self._is_orphan, managed), key=lambda one: (one.tags[KEY_TAG], one.id)))

    def managed(self) -> int:
        """How many live companies carry our workspace."""
        workspace = self.desired.workspace
        return sum(len(found) for (owner, _), found in self.by_owner.items() if owner == workspace)

    def needs_unfiltered(self) -> bool:
        """Whether something wanted is not among these companies, so that all must be listed."""
        return not all(self._is_found(one) for one in self.desired.companies.values())

    def with_own_settings(self, concerns: Callable[[DesiredCompany], bool]) -> tuple[str, ...]:
        """Ids of the live companies whose sync settings a spec manages, of those that the run concerns."""
        return tuple(
            live.id
            for company in self.desired.companies.values()
            if company.sync_settings is not UNSET and company.state is Presence.PRESENT and concerns(company)
            if (live := self.match(company).live) is not None
        )

    def _carrying(self, company: DesiredCompany) -> tuple[LiveCompany, ...]:
        keys = dict.fromkeys(key for key in (company.key, company.renamed_from) if key is not None)
        workspace = self.desired.workspace
        return tuple(one for key in keys for one in self.by_owner.get((workspace, key), ()))

    def _by_id(self, identifier: str, ours: tuple[LiveCompany, ...]) -> Match:
        live = self.by_id.get(identifier)
        if live is None:
            return Match(Found.MISSING)
        if live in ours:
            return Match(Found.OURS, live)
        if live.owner() is not None:
            return Match(Found.CONFLICT, others=(live,))
        return Match(Found.CONFLICT, others=ours) if ours else Match(Found.UNTAGGED, live)

    def _is_free(self, live: LiveCompany) -> bool:
        """Whether a company of the wanted name may be the wanted one: nobody else speaks for it."""
        return live.id not in self.ids and (live.owner() is None or self._is_orphan(live))

    def _is_orphan(self, live: LiveCompany) -> bool:
        """A run that sees only a part of the specs cannot know, so to it nothing is an orphan."""
        owner = live.owner()
        if owner is None or owner[0] != self.desired.workspace or self.desired.narrowed:
            return False
        return owner[1] not in self.keys and live.id not in self.ids

    def _is_found(self, company: DesiredCompany) -> bool:
        if company.id is not None:
            return company.id in self.by_id
        return company.state is Presence.ABSENT or bool(self._carrying(company))
