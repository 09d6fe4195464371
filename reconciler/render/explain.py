"""Explanations for people and for programs: of an address, and of a code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from rich.text import Text

from reconciler.render.documents import as_json
from reconciler.render.escaping import for_terminal, quoted
from reconciler.render.layout import INDENT, Style, hanging, message, printed
from reconciler.wording import joined

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
    return printed(_spaced(_code(entry, style) for entry in entries), style)


def _code(entry: Document, style: Style) -> Lines:
    ends = f", exit status {entry['exit']}" if entry["exit"] is not None else ""
    kind = "attention, " if entry["group"] == "attention" else ""
    failure = "failure of apply, " if entry["group"] == "apply" else ""
    yield Text.assemble((entry["code"], "bold"), (f" ({kind}{failure}{entry['severity']}{ends})", "dim"))
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
    told = (_explanation(explanation, style) for explanation in document["explanations"])
    refusals = (
        hanging(Text("The plan is refused: ", "bold red"), message(refusal), style)
        for refusal in document["refusals"]
    )
    return printed(_spaced(chain(told, refusals)), style)


def _explanation(document: Document, style: Style) -> Lines:
    result = joined([each["kind"] for each in document["actions"]]) or NOTHING
    yield from hanging(_label(document["address"], "bold"), message(result), style)
    if style.quiet:
        return
    for change in (change for action in document["actions"] for change in action.get("changes", ())):
        values = f"{quoted(change['before'])} -> {quoted(change['after'])}"
        yield from hanging(_label(f"  {change['path']}"), Text(values), style)
    for each in document["attention"]:
        label = _label(f"  attention {each['code']} ({each['class']})", "yellow")
        yield from hanging(label, message(each["message"]), style)
    if document["note"]:
        yield from hanging(Text("  "), message(document["note"]), style)
    yield from hanging(_label("  spec", "dim"), _place(document["spec"]), style)
    yield from _live(document["live"], style)
    for decision in document["decisions"]:
        yield from _decision(decision, style)


def _decision(document: Document, style: Style) -> Lines:
    yield Text()
    row, table = for_terminal(document["row"]), for_terminal(document["table"])
    head = Text.assemble(f"Rule {row}", (f" (of the {table} table): ", "dim"))
    yield from hanging(head, message(f"{document['why']}: {_result(document)}"), style)
    yield Text("  because", "dim")
    for fact in document["facts"]:
        yield from hanging(_label(f"    {fact['says']}"), message(fact["value"]), style)
    if document["otherwise"]:
        yield Text("  otherwise, if", "dim")
    for other in document["otherwise"]:
        head = _label(f"    {other['says']}")
        tail = Text.assemble(
            message(f"{' or '.join(other['values'])} -> {_result(other)}"),
            message(f" (rule {other['row']}: {other['why']})", "dim"),
        )
        yield from hanging(head, tail, style)


def _result(row: Document) -> str:
    attention = [f"attention {row['attention']}"] if row["attention"] else []
    return joined([*row["actions"], *attention]) or NOTHING


def _place(span: Document | None) -> Text:
    return message(f"{span['file']}:{span['line']}:{span['column']}" if span else "in no spec")


def _live(live: Document | None, style: Style) -> Lines:
    """The live values, a line each; what Codat does not have is not told."""
    if live is None:
        yield from hanging(_label("  live", "dim"), Text("not in Codat"), style)
        return
    yield Text("  live", "dim")
    for name, value in _flat("", live):
        shown = quoted(value) if isinstance(value, str) else message(str(value)).plain
        yield from hanging(_label(f"    {name}"), Text(shown), style)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The values beneath a name, each by its path; what is empty is left out."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{name}.{key}".lstrip("."), part)
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from _flat(f"{name}.{position}", part)
    elif value not in (None, ""):
        yield name, value


def _label(name: str, look: str = "") -> Text:
    return Text(f"{for_terminal(f'{name}:')} ", look)


def _spaced(sections: Iterable[Iterable[Text]]) -> Lines:
    for position, section in enumerate(sections):
        if position:
            yield Text()
        yield from section


def _written(document: Document) -> str:
    return as_json(document, indent=2) + "\n"
