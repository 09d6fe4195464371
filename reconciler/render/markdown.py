"""A plan as a comment on a pull request, for GitHub and GitLab alike.

Three contexts, each with its own writer. Within a ``fence`` and a ``code`` span nothing is interpreted,
by the parser or by what runs after it, so only the delimiters matter: they are longer than any run of
backticks inside. ``prose`` is read twice: by the parser, which entities keep from seeing any markup, and
then by filters over the finished text that look for mentions, references, emoji and bare links. Those see
through entities, so what they look for is broken up by a zero-width space after its first character.

What a merge destroys stands first, then what blocks, then the rest; the comment always fits, and says
what it leaves out. GitHub takes at most 65,536 characters; GitLab takes far more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from reconciler.plan import AttentionClass, ShownPlan
from reconciler.render.escaping import MESSAGE_LIMIT, VALUE_LIMIT, for_terminal, quoted
from reconciler.render.layout import LONG, plain
from reconciler.render.outcome_view import by_reason
from reconciler.render.plan_view import plan_view, verb
from reconciler.render.view import ActionView, AttentionGroup, AttentionView, Group, PlanView
from reconciler.wording import LISTED, counted

_MARKUP: Final = re.compile(r"[\\`*_\[\]<>|~$&]")
"""What may open markup, HTML, an entity or a formula within a line."""
_TRIGGER: Final = re.compile(
    r"@"  # mentions, addresses of mail
    r"|[#!%&~^](?=[\w\"'`*{\[])"  # issues, merge requests, milestones, epics, labels, alerts
    r"|\$(?=\d)"  # snippets
    r"|:(?=//|[\w+-]+:)"  # links, emoji
    r"|\b[Ww]{3}(?=\.)"
    r"|[\w-](?=>)"  # projects
    r"|[\[{](?=[+-])"  # inline differences
    r"|\bGH(?=-\d)",
    re.IGNORECASE,
)
"""Where a filter over finished text would see more than text."""
_BLOCK: Final = re.compile(r"^(?=\s|[-+=#]|\d+[.)])")
"""Before what would open a list, a heading or a block of code at the start of a line."""
_BREAK: Final = "\u200b"
_RUN: Final = re.compile("`+")


def prose(text: str) -> str:
    """A sentence, which may begin a paragraph or an item: it begins no block of its own."""
    shown = _BLOCK.sub(_BREAK, for_terminal(text, MESSAGE_LIMIT))
    broken = _TRIGGER.sub(lambda found: found.group() + _BREAK, shown)
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", broken).replace(_BREAK, "&#8203;")


def code(text: str, limit: int = VALUE_LIMIT) -> str:
    """A value as a code span."""
    shown = for_terminal(text, limit) or " "
    mark = "`" * (_longest_run([shown]) + 1)
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{mark}{pad}{shown}{pad}{mark}"


def fence(lines: Iterable[str]) -> str:
    """The backticks that open and close a block of these lines."""
    return "`" * max(3, _longest_run(lines) + 1)


def _longest_run(texts: Iterable[str]) -> int:
    return max((len(run) for text in texts for run in _RUN.findall(text)), default=0)


_COUNT: Final = 12
"""Bytes kept for a number."""


@dataclass(frozen=True, slots=True)
class Block:
    """Entries between a head and a tail. ``entries`` are whole lines; one is shown whole or not at all.

    ``rank`` says who is served first, the smallest first. ``more`` is the line that takes the place of
    the entries that are left out, with ``{count}`` in it; ``noun`` is what one entry is called.
    """

    rank: int
    noun: str
    entries: tuple[str, ...]
    head: str = ""
    tail: str = ""
    more: str = ""

    def shown(self, count: int) -> str:
        """The block with its first ``count`` entries; empty without any."""
        if not count:
            return ""
        rest = len(self.entries) - count
        more = self.more.format(count=f"{rest:,}") if rest else ""
        return "".join((self.head, *self.entries[:count], more, self.tail))

    def fitting(self, room: int) -> int:
        """How many entries fit into ``room`` bytes, head and tail included."""
        whole = size(self.head) + size(self.tail)
        cut = whole + size(self.more) + _COUNT
        fits = 0
        for position, entry in enumerate(self.entries, 1):
            whole += size(entry)
            cut += size(entry)
            if cut <= room:
                fits = position
        return len(self.entries) if whole <= room else fits


def fit(blocks: Sequence[Block], room: int) -> tuple[tuple[str, ...], dict[str, int]]:
    """The text of each block, in the order given, and how many entries are left out, by noun."""
    texts = [""] * len(blocks)
    left_out: dict[str, int] = {}
    for position in sorted(range(len(blocks)), key=lambda number: blocks[number].rank):
        block = blocks[position]
        count = block.fitting(room)
        texts[position] = block.shown(count)
        room -= size(texts[position])
        if rest := len(block.entries) - count:
            left_out[block.noun] = left_out.get(block.noun, 0) + rest
    return tuple(texts), left_out


def size(text: str) -> int:
    """Bytes of ``text`` in UTF-8, which are never fewer than its characters."""
    return len(text.encode())


def total(texts: Iterable[str]) -> int:
    """Bytes of several texts."""
    return sum(map(size, texts))


HARD_LIMIT: Final = 65_536
"""Characters that GitHub keeps of a comment; bytes are counted, which are never fewer."""
LIMIT: Final = 50_000
"""Bytes that a comment takes unless what is destroyed needs more."""

_MARKED: Final = 200
"""Characters of a value in the marker; a longer one is told by its hash."""
_REFUSALS: Final = 4_000
"""Bytes for what guards say, which is never cut for the sake of anything else."""
_FOOT: Final = 600
"""Bytes kept for the sentence on what is left out."""

_HOW_TO_SEE: Final = (
    "`codat-sync show PLAN` prints all of it from the saved plan, which is an artifact of the job that "
    "wrote this comment."
)


def comment_marker(workspace: str, specs: str = "specs") -> str:
    """The hidden first line by which a later run finds the comment to edit."""
    return f"<!-- codat-sync workspace={_marked(workspace)} specs={_marked(specs)} -->"


def _marked(text: str) -> str:
    """A value that cannot end an HTML comment, and is as good as unique."""
    encoded = quote(text, safe="/", errors="backslashreplace").replace("--", "%2D%2D")
    if len(encoded) <= _MARKED:
        return encoded
    return "sha256:" + hashlib.sha256(encoded.encode()).hexdigest()


def plan_markdown(
    plan: ShownPlan,
    *,
    specs: str = "specs",
    requests_per_minute: int | None = None,
    notes: Sequence[str] = (),
    refusals: Sequence[str] = (),
    limit_bytes: int = LIMIT,
) -> str:
    """A plan as a comment, at most ``limit_bytes`` long unless its deletions and unlinks need more.

    Counts, deletions, unlinks and the digest are never cut for the sake of anything else. Where the
    deletions alone are too much for ``limit_bytes`` they get shorter lines, and all of ``HARD_LIMIT``;
    what even then has no room is counted.

    Args:
        plan: what is shown of it.
        specs: the specs directory, which with the workspace tells this comment from another's.
        requests_per_minute: the rate at which apply may ask Codat; without it no time is told.
        notes: what a reader should know and no field says.
        refusals: the guards that the plan exceeds, instead of its own.
        limit_bytes: bytes that the comment should not exceed.

    """
    view = plan_view(plan, requests_per_minute=requests_per_minute, notes=notes, refusals=refusals)
    opening = _opening(view, comment_marker(plan.workspace, specs))
    closing = f"Digest {code(plan.digest)} · {code(view.tool)}\n"
    fixed = total((opening, closing)) + _FOOT
    losses, unseen = _losses(view, limit_bytes - fixed, HARD_LIMIT - fixed)
    texts, left_out = fit(_blocks(view), limit_bytes - fixed - size(losses))
    foot = how_left_out(unseen | left_out, "to keep within a comment's length", _HOW_TO_SEE)
    return "".join((opening, losses, *texts, foot, closing))


def _opening(view: PlanView, marker: str) -> str:
    totals = " ".join(filter(None, (view.origins, view.estimate)))
    lines = [marker, f"### codat-sync plan for {_workspace(view)}", f"**{view.sentence}**"]
    lines += [totals] if totals else []
    return "\n\n".join(lines) + "\n\n" + _refused(view.refusals)


def _workspace(view: PlanView) -> str:
    return "".join(part if isinstance(part, str) else code(plain((part,))) for part in view.workspace)


def _refused(refusals: Sequence[str]) -> str:
    if not refusals:
        return ""
    head = "> [!IMPORTANT]\n> **Refused: as it stands, this plan is not applied.**\n>\n"
    entries = tuple(f"> - {prose(refusal)}\n" for refusal in refusals)
    block = Block(0, "refusal", entries, head, "\n", "> - {count} more are not shown\n")
    (text,), _ = fit([block], _REFUSALS)
    return text


# --- what is destroyed -------------------------------------------------------------------------


def _losses(view: PlanView, room: int, most: int) -> tuple[str, dict[str, int]]:
    """Deletions and unlinks: long lines in half of the room, else shorter ones, the shortest in all of it."""
    if not view.losses:
        return "", {}
    warning = f"> [!CAUTION]\n> **{view.warning[:1].upper()}{view.warning[1:]}**\n\n"
    for form, allowed in ((_loss, room // 2), (_short, room), (_shortest, most)):
        block = _fenced(0, "deletion or unlink", [form(loss) for loss in view.losses], warning)
        (text,), left_out = fit([block], allowed)
        if not left_out:
            break
    return text or warning, left_out


def _line(action: ActionView) -> str:
    because = f" ({for_terminal(action.reason)})" if action.reason else ""
    return f"{action.group.sign} {for_terminal(action.address)}  {plain(action.what)}{because}\n"


def _loss(action: ActionView) -> str:
    """A loss stands on top whoever causes it, so its own line says where it was due already."""
    return _line(replace(action, reason=f"{action.reason}; due already") if action.is_pending else action)


def _short(action: ActionView) -> str:
    return f"{action.group.sign} {for_terminal(action.address)}  {verb(action.kind)}\n"


def _shortest(action: ActionView) -> str:
    return f"{action.group.sign} {for_terminal(action.address)} {verb(action.kind).partition(' ')[0]}\n"


# --- what gives way ----------------------------------------------------------------------------


def _blocks(view: PlanView) -> list[Block]:
    """The rest in reading order, each with its rank where there is not room for all."""
    attention = {group.attention_class: group for group in view.attention_caused}
    caused = [action for action in view.caused if action.group is not Group.REMOVE]
    pending = [action for action in view.pending if action.group is not Group.REMOVE]
    blocks = [
        attention_block(1, attention.get(AttentionClass.BLOCKING)),
        _fenced(2, "action", list(map(_line, caused)), "**Actions**\n\n"),
        _changes(5, caused),
        _pending(6, pending),
        _pending_attention(6, view.attention_pending),
        attention_block(4, attention.get(AttentionClass.WAITING), is_folded=True),
        attention_block(7, attention.get(AttentionClass.INFO), is_folded=True),
        Block(3, "note", tuple(f"> Note: {prose(note)}\n\n" for note in view.notes)),
    ]
    return [block for block in blocks if block.entries]


def _fenced(rank: int, noun: str, entries: Iterable[str], before: str = "", after: str = "") -> Block:
    lines = tuple(entries)
    mark = fence(lines)
    return Block(
        rank,
        noun,
        lines,
        f"{before}{mark}diff\n",
        f"{mark}\n\n{after}",
        more="# {count} more are not shown\n",
    )


def folded(summary: str) -> tuple[str, str]:
    """What opens and closes a fold; ``summary`` is in our own words."""
    return f"<details>\n<summary>{summary}</summary>\n\n", "</details>\n\n"


def _changes(rank: int, actions: Iterable[ActionView]) -> Block:
    changed = [action for action in actions if action.changes]
    fields = counted(sum(len(action.changes) for action in changed), "field change")
    entries = (f"@@ {for_terminal(action.address)} @@\n{_fields(action)}" for action in changed)
    return _fenced(rank, "list of field changes", entries, *folded(fields[:1].upper() + fields[1:]))


def _fields(action: ActionView) -> str:
    """Each field on a line with what Codat has, and one with what the spec wants."""
    sides = (
        (sign, change.path, value)
        for change in action.changes
        for sign, value in (("-", change.before), ("+", change.after))
        if value is not None
    )
    return "".join(f"{sign} {for_terminal(path)}: {quoted(value)}\n" for sign, path, value in sides)


def _pending(rank: int, actions: Sequence[ActionView]) -> Block:
    were = "was" if len(actions) == 1 else "were"
    summary = f"{counted(len(actions), 'action')} {were} due already, whatever this change does"
    entries = (_line(action) + _fields(action) for action in actions)
    return _fenced(rank, "action that was due already", entries, *folded(summary))


def _pending_attention(rank: int, groups: Sequence[AttentionGroup]) -> Block:
    items = [item for group in groups for item in group.items]
    head, tail = folded(f"{counted(len(items), 'matter that needs attention')} already before this change")
    more = "- {count} more are not shown\n"
    return Block(rank, "matter that needs attention", tuple(_items(items)), head, f"\n{tail}", more)


def attention_block(rank: int, group: AttentionGroup | None, *, is_folded: bool = False) -> Block:
    """The attention of one class, with its meaning as a title; without any, a block of no entries."""
    if group is None:
        return Block(rank, "", ())
    title = f"{group.meaning} ({len(group.items):,})"
    head, tail = folded(title) if is_folded else (f"**{title}**\n\n", "")
    entries = tuple(_items(group.items))
    more = "- {count} more are not shown\n"
    return Block(rank, "matter that needs attention", entries, head, f"\n{tail}", more)


def _items(items: Sequence[AttentionView]) -> Iterator[str]:
    """An entry for each matter; many of which one says what all say are one entry."""
    for same in by_reason(items, lambda item: (item.code, item.message)):
        if len(same) <= LONG:
            yield from map(_item, same)
            continue
        rest = len(same) - LISTED
        more = f" and {rest:,} more" if rest > 0 else ""
        names = ", ".join(code(attention.address) for attention in same[:LISTED])
        yield f"- **{prose(same[0].code)}** ({len(same):,}): {prose(same[0].message)}: {names}{more}\n"


def _item(attention: AttentionView) -> str:
    return f"- {code(attention.address)} **{prose(attention.code)}**: {prose(attention.message)}\n"


def how_left_out(left_out: Mapping[str, int], why: str, elsewhere: str) -> str:
    """What a page leaves out, why, and where it is; empty where it leaves out nothing."""
    if not left_out:
        return ""
    parts = ", ".join(counted(number, noun) for noun, number in left_out.items())
    return f"**Not shown here, {why}: {parts}.** {elsewhere}\n\n"
