"""Explanations for people and for programs: of an address, and of a code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from rich.text import Text

from reconciler.render.escaping import for_terminal, quoted
from reconciler.render.layout import INDENT, hanging, message, printed
from reconciler.render.style import Style
from reconciler.render.wording import joined

FORMAT_VERSION: Final = 1
NOTHING: Final = "nothing to do"

Document = Mapping[str, Any]
Lines = Iterator[Text]


# --- codes -------------------------------------------------------------------------------------


def codes_json(entries: Sequence[Document]) -> str:
    """What a code means, once for each group that has it."""
    return _written({"formatVersion": FORMAT_VERSION, "codes": list(entries)})


def codes_text(entries: Sequence[Document], style: Style) -> str:
    """What a code means: summary, cause, remedy, example."""
    return printed(_spaced(_code(one, style) for one in entries), style)


def _code(entry: Document, style: Style) -> Lines:
    ends = f", exit status {entry['exit']}" if entry["exit"] is not None else ""
    kind = "attention, " if entry["group"] == "attention" else ""
    failure = "failure of apply, " if entry["group"] == "apply" else ""
    head = Text.assemble((entry["code"], "bold"), (f" ({kind}{failure}{entry['severity']}{ends})", "dim"))
    yield head
    if style.quiet:
        yield from hanging(Text(), message(entry["summary"]), style)
        return
    for label, text in (("", entry["summary"]), ("Cause: ", entry["cause"]), ("Remedy: ", entry["remedy"])):
        yield from hanging(Text(label, "bold"), message(text), style)
    yield Text("Example:", "bold")
    for line in str(entry["example"]).splitlines():
        yield Text(f"{' ' * INDENT}{for_terminal(line)}")


# --- addresses ---------------------------------------------------------------------------------


def explanation_json(document: Document) -> str:
    """Why an address is planned as it is."""
    return _written(document)


def explanation_text(document: Document, style: Style) -> str:
    """Why an address is planned as it is: what follows, by which rule, from which facts, what else could."""
    told = (_explanation(one, style) for one in document["explanations"])
    refusals = (
        hanging(Text("The plan is refused: ", "bold red"), message(one), style)
        for one in document["refusals"]
    )
    return printed(_spaced(chain(told, refusals)), style)


def _explanation(one: Document, style: Style) -> Lines:
    result = joined([each["kind"] for each in one["actions"]]) or NOTHING
    yield from hanging(Text.assemble((for_terminal(one["address"]), "bold"), ": "), Text(result), style)
    if style.quiet:
        return
    for each in one["attention"]:
        yield from hanging(
            Text(f"  attention {for_terminal(each['code'])} ({each['class']}): ", "yellow"),
            message(each["message"]),
            style,
        )
    for change in (change for action in one["actions"] for change in action.get("changes", ())):
        yield from hanging(Text(f"  {for_terminal(change['path'])}: "), _change(change), style)
    if one["note"]:
        yield from hanging(Text("  "), message(one["note"]), style)
    yield from hanging(Text("  spec  ", "dim"), Text(_place(one["spec"])), style)
    yield from hanging(Text("  live  ", "dim"), Text(_live(one["live"])), style)
    for decision in one["decisions"]:
        yield from _decision(decision, style)


def _decision(one: Document, style: Style) -> Lines:
    yield Text()
    yield from hanging(
        Text.assemble(f"Rule {one['row']}", (f" (of the {one['table']} table): ", "dim")),
        message(f"{one['why']}: {_result(one)}"),
        style,
    )
    yield Text("  because", "dim")
    for fact in one["facts"]:
        yield from hanging(Text(f"    {fact['says']}: "), message(fact["value"]), style)
    if one["otherwise"]:
        yield Text("  otherwise, if", "dim")
    for other in one["otherwise"]:
        head = Text(f"    {other['says']}: {' or '.join(map(for_terminal, other['values']))}")
        tail = Text.assemble(" -> ", _result(other), (f" (rule {other['row']}: {other['why']})", "dim"))
        yield from hanging(head, tail, style)


def _change(change: Document) -> Text:
    return Text(f"{quoted(change['before'])} -> {quoted(change['after'])}")


def _result(row: Document) -> str:
    attention = [f"attention {row['attention']}"] if row["attention"] else []
    return joined([*row["actions"], *attention]) or NOTHING


def _place(span: Document | None) -> str:
    return f"{for_terminal(span['file'])}:{span['line']}:{span['column']}" if span else "in no spec"


def _live(live: Document | None) -> str:
    """The live values, each with its name; what Codat does not have is not told."""
    if live is None:
        return "not in Codat"
    return ", ".join(chain.from_iterable(_value(name, value) for name, value in live.items()))


def _value(name: str, value: Any) -> Iterable[str]:
    match value:
        case None | "" | [] | {}:
            return ()
        case {}:
            return (f"{for_terminal(f'{name}.{key}')} {_scalar(one)}" for key, one in value.items())
        case list():
            return (part for one in value for part in _value(name, one))
        case _:
            return (f"{for_terminal(name)} {_scalar(value)}",)


def _scalar(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _spaced(sections: Iterable[Iterable[Text]]) -> Lines:
    for position, section in enumerate(sections):
        if position:
            yield Text()
        yield from section


def _written(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
