"""Which live company is meant: by our two tags, by ``renamedFrom``, or by ``id``."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reconciler.live import LiveCompany
from reconciler.model import KEY_TAG, UNSET, Desired, DesiredCompany, Presence, Wanted
from reconciler.planner.company_rules import Found


def folded(name: str) -> str:
    """A name as people read it: case, white space and Unicode form make no difference."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


@dataclass(frozen=True, slots=True)
class Match:
    """What was found for a wanted company; ``live`` where it is one, ``others`` what a message names."""

    found: Found
    live: LiveCompany | None = None
    others: tuple[LiveCompany, ...] = ()
    copies: tuple[LiveCompany, ...] = ()
    """Companies that carry the tags of the wanted one too, where its ``id`` says that they are not meant."""


@dataclass(frozen=True)
class Directory:
    """The live companies, to be looked up by id, owner, key and name, and what the specs claim."""

    desired: Desired
    by_id: Mapping[str, LiveCompany]
    by_owner: Mapping[tuple[str, str], Sequence[LiveCompany]]
    by_key: Mapping[str, Sequence[LiveCompany]]
    """By the key that they carry, in whichever workspace."""
    keys: frozenset[str]
    """Every key that some spec speaks for, by its own name or by ``renamedFrom``."""
    ids: frozenset[str]
    """Every company id that some spec names."""

    @classmethod
    def of(cls, desired: Desired, companies: Iterable[LiveCompany]) -> Directory:
        """Index ``companies``; each list is in the order of ids, whatever the listing's order was."""
        by_id: dict[str, LiveCompany] = {}
        by_owner: defaultdict[tuple[str, str], list[LiveCompany]] = defaultdict(list)
        by_key: defaultdict[str, list[LiveCompany]] = defaultdict(list)
        for company in sorted(companies, key=lambda company: company.id):
            by_id[company.id] = company
            if owner := company.owner():
                by_owner[owner].append(company)
                by_key[owner[1]].append(company)
        wanted = desired.companies.values()
        return cls(
            desired,
            by_id,
            by_owner,
            by_key,
            frozenset(desired.companies)
            | {company.renamed_from for company in wanted if company.renamed_from},
            frozenset(company.id for company in wanted if company.id),
        )

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[LiveCompany]]:
        """By their names, folded; made where a name is looked for."""
        found: defaultdict[str, list[LiveCompany]] = defaultdict(list)
        for company in self.by_id.values():
            found[folded(company.name)].append(company)
        return found

    def match(self, company: DesiredCompany) -> Match:
        """Find the live company that ``company`` means."""
        ours = self._carrying(company)
        if company.id is not None:
            return self._by_id(company, company.id, ours)
        if len(ours) > 1:
            return Match(Found.DUPLICATE, others=ours)
        if ours:
            return Match(Found.OURS, ours[0])
        namesakes = self._namesakes(company)
        return Match(Found.NAMESAKE, others=namesakes) if namesakes else Match(Found.NONE)

    def orphans(self) -> tuple[LiveCompany, ...]:
        """Companies of our workspace that no spec names any more, by key and id.

        A run that sees only a part of the specs cannot know, so to it nothing is an orphan.
        """
        if self.desired.narrowed:
            return ()
        managed = (company for companies in self.by_owner.values() for company in companies)
        return tuple(
            sorted(
                filter(self._is_unclaimed, managed), key=lambda company: (company.tags[KEY_TAG], company.id)
            )
        )

    def managed(self) -> int:
        """How many live companies carry our workspace."""
        workspace = self.desired.workspace
        return sum(len(found) for (owner, _), found in self.by_owner.items() if owner == workspace)

    def needs_unfiltered(self) -> bool:
        """Whether something wanted is not among these companies, so that all must be listed."""
        return not all(self._is_found(company) for company in self.desired.companies.values())

    def with_own_settings(self, concerns: Callable[[DesiredCompany], bool]) -> tuple[str, ...]:
        """Ids of the live companies whose sync settings a spec manages, of those that the run concerns."""
        return tuple(
            live.id
            for company in self.desired.companies.values()
            if company.sync_settings is not UNSET and company.state is Presence.PRESENT and concerns(company)
            if (live := self.match(company).live) is not None
        )

    def _carrying(self, company: DesiredCompany) -> tuple[LiveCompany, ...]:
        """The companies with the tags of ``company``, of a workspace that is taken over too."""
        owners = ((workspace, key) for workspace in self.desired.workspaces for key in company.keys)
        return tuple(carrier for owner in owners for carrier in self.by_owner.get(owner, ()))

    def _by_id(self, company: DesiredCompany, identifier: str, ours: tuple[LiveCompany, ...]) -> Match:
        live = self.by_id.get(identifier)
        copies = tuple(own for own in ours if own is not live)
        if live is None:
            # What was to be deleted is gone; a copy of its tags does not make another company the one meant.
            is_done = company.state is Presence.ABSENT
            return Match(Found.MISSING, copies=copies if is_done else ())
        if live in ours:
            return Match(Found.OURS, live, copies=copies)
        if live.owner() is not None:
            return Match(Found.CONFLICT, others=(live,))
        return Match(Found.CONFLICT, others=ours) if ours else Match(Found.UNTAGGED, live)

    def _namesakes(self, company: DesiredCompany) -> tuple[LiveCompany, ...]:
        """Companies that may be the wanted one: of its name, or with its key in another workspace."""
        keyed = (namesake for key in company.keys for namesake in self.by_key.get(key, ()))
        found = {namesake.id: namesake for namesake in (*self.by_name.get(folded(company.name), ()), *keyed)}
        return tuple(
            namesake
            for identifier, namesake in sorted(found.items())
            if identifier not in company.new_beside and self._is_free(namesake)
        )

    def _is_free(self, live: LiveCompany) -> bool:
        """Whether no spec that this run sees speaks for a company."""
        owner = live.owner()
        is_ours = owner is not None and owner[0] in self.desired.workspaces
        return live.id not in self.ids and (not is_ours or self._is_unclaimed(live))

    def _is_unclaimed(self, live: LiveCompany) -> bool:
        """Whether a company carries our workspace, or one that is taken over, and a key of no spec."""
        owner = live.owner()
        if owner is None or owner[0] not in self.desired.workspaces:
            return False
        return owner[1] not in self.keys and live.id not in self.ids

    def _is_found(self, company: DesiredCompany) -> bool:
        if company.id is not None:
            return company.id in self.by_id
        return company.state is Presence.ABSENT or bool(self._carrying(company))


def is_another(company: DesiredCompany, namesakes: Sequence[LiveCompany]) -> bool:
    """Whether ``new: true`` in the spec still says that the wanted company is none of ``namesakes``.

    Codat does not tell which company was made for a spec once our tags are gone from it, and the field
    stands in the spec for ever. So it speaks of one company alone, that which was there before; and of none
    that has what the spec connects, for that may be the company that was made for it.
    """
    if not company.new or len(namesakes) > 1:
        return False
    platforms = {
        connection.platform_key
        for connection in company.connections.values()
        if connection.wanted is not Wanted.ABSENT
    }
    return not any(link.platform_key in platforms for namesake in namesakes for link in namesake.connections)
