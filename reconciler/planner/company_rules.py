"""What follows for a company from what is wanted of it and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.kinds import Kind
from reconciler.plan import AttentionCode
from reconciler.planner.rules import NO, YES, Rule, RuleTable


class Want(StrEnum):
    """What the run wants of a company: by its spec, or because no spec names it any more."""

    PRESENT = "present"
    ABSENT = "absent"
    GONE = "gone"
    PRUNED = "pruned"


class Found(StrEnum):
    """What the live state holds for a company."""

    NONE = "none"
    NAMESAKE = "namesake"
    """Nothing with our tags, but one of the same name that no spec speaks for, or of this key elsewhere."""
    OURS = "ours"
    UNTAGGED = "untagged"
    """The company that the spec's ``id`` names, without tags of ours."""
    CONFLICT = "conflict"
    MISSING = "missing"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class CompanySituation:
    """Everything that the rules for a company may look at."""

    want: Want
    found: Found
    new: bool
    """Whether ``new: true`` says that what was found is another."""
    differs: bool
    over_budget: bool
    protected: bool


_PRESENT, _ABSENT, _GONE, _PRUNED = (Want.PRESENT,), (Want.ABSENT,), (Want.GONE,), (Want.PRUNED,)

COMPANY_RULES: Final = RuleTable(
    CompanySituation,
    (
        Rule(
            "company-create",
            {"want": _PRESENT, "found": (Found.NONE,), "over_budget": NO},
            "not in Codat",
            (Kind.COMPANY_CREATE,),
        ),
        Rule(
            "company-create-new",
            {"want": _PRESENT, "found": (Found.NAMESAKE,), "new": YES, "over_budget": NO},
            "not in Codat; the spec says that the company of the same name is another",
            (Kind.COMPANY_CREATE,),
        ),
        Rule(
            "company-exists",
            {"want": _PRESENT, "found": (Found.NAMESAKE,), "new": NO},
            "a company of the same name or key exists",
            attention=AttentionCode.EXISTS,
        ),
        Rule(
            "company-adopt",
            {"want": _PRESENT, "found": (Found.UNTAGGED,), "over_budget": NO},
            "named by id, not managed yet",
            (Kind.COMPANY_ADOPT,),
        ),
        Rule(
            "company-update",
            {"want": _PRESENT, "found": (Found.OURS,), "differs": YES, "over_budget": NO},
            "managed fields differ",
            (Kind.COMPANY_UPDATE,),
        ),
        Rule(
            "company-unchanged",
            {"want": _PRESENT, "found": (Found.OURS,), "differs": NO, "over_budget": NO},
            "as specified",
        ),
        Rule(
            "company-tag-budget",
            {"want": _PRESENT, "found": (Found.NONE, Found.OURS, Found.UNTAGGED), "over_budget": YES},
            "more tags than Codat keeps",
            attention=AttentionCode.TAG_BUDGET,
        ),
        Rule(
            "company-new-tag-budget",
            {"want": _PRESENT, "found": (Found.NAMESAKE,), "new": YES, "over_budget": YES},
            "more tags than Codat keeps",
            attention=AttentionCode.TAG_BUDGET,
        ),
        Rule(
            "company-missing",
            {"want": _PRESENT, "found": (Found.MISSING,)},
            "no company has the id of the spec",
            attention=AttentionCode.MISSING,
        ),
        Rule(
            "company-conflict",
            {"want": (Want.PRESENT, Want.ABSENT), "found": (Found.CONFLICT,)},
            "the tags and the id of the spec disagree",
            attention=AttentionCode.CONFLICT,
        ),
        Rule(
            "company-duplicate",
            {"want": (Want.PRESENT, Want.ABSENT), "found": (Found.DUPLICATE,)},
            "more than one company carries this key",
            attention=AttentionCode.DUPLICATE,
        ),
        Rule(
            "company-delete",
            {"want": _ABSENT, "found": (Found.OURS, Found.UNTAGGED), "protected": NO},
            "the spec says state: absent",
            (Kind.COMPANY_DELETE,),
        ),
        Rule(
            "company-delete-protected",
            {"want": _ABSENT, "found": (Found.OURS, Found.UNTAGGED), "protected": YES},
            "the company is protected",
            attention=AttentionCode.PROTECTED,
        ),
        Rule(
            "company-absent",
            {"want": _ABSENT, "found": (Found.NONE, Found.NAMESAKE, Found.MISSING)},
            "absent, as specified",
        ),
        Rule("company-orphan", {"want": _GONE}, "in no spec any more", attention=AttentionCode.ORPHAN),
        Rule(
            "company-prune",
            {"want": _PRUNED, "protected": NO},
            "in no spec any more, and --prune",
            (Kind.COMPANY_DELETE,),
        ),
        Rule(
            "company-prune-protected",
            {"want": _PRUNED, "protected": YES},
            "the company is protected",
            attention=AttentionCode.PROTECTED,
        ),
    ),
)
