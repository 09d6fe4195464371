"""Saved plans: written whole with what they were made from, read back only as they were written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler import DEFAULT_SPECS
from reconciler.diagnostics import CodatSyncError, Diagnostic, RefusedError
from reconciler.kinds import digest
from reconciler.loading import plan_complaints, secret_commands
from reconciler.loading.files import WORKSPACE_FILES, read_regular
from reconciler.loading.references import real_path
from reconciler.loading.workspace_file import locate
from reconciler.model import Desired
from reconciler.plan import FORMAT_VERSION, Options, Plan, ShownPlan
from reconciler.planner import from_document, known_from, read_plan, to_document
from reconciler.secret_refs import SecretRef
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.new_files import check_no_link, write_whole
from reconciler.workspace import Workspace

SAVED_MODE: Final = 0o600
LARGEST: Final = 96 * 1024 * 1024
"""Bytes of a saved plan; 10,000 new companies with 25,000 connections take 41 million."""
MOST_VALUES: Final = 3_000_000
"""Values in it; the same 10,000 companies take 1.2 million."""
BOUNDS: Final = f"{LARGEST // 1024 // 1024} MiB, {MOST_VALUES:,} values"
PLAN_AGAIN: Final = "make the plan again and have it reviewed"


@dataclass(frozen=True, slots=True)
class Saved:
    """A plan as it was reviewed, and what it takes to make it again.

    ``specs`` is the path that it was made from, by which a comment on it is found again.
    """

    plan: ShownPlan
    desired: Desired
    workspace: Workspace
    options: Options
    specs: Path


def save(
    path: Path, plan: Plan, desired: Desired, workspace: Workspace, options: Options, specs: Path
) -> None:
    """Write a plan to ``path``, for its owner alone to read; an existing file is replaced at once.

    Raises:
        CodatSyncError: the file cannot be written, or would not say what is wanted when it is read.
    """
    document: dict[str, Any] = {
        **plan.document(),
        "desired": to_document(desired),
        "run": {
            "options": to_document(options),
            "specs": specs.as_posix(),
            "workspace": to_document(workspace),
        },
    }
    _check_read_back(document["desired"], desired)
    if path.exists() and not path.is_file():
        raise _unwritable(path, "it is no file", "name a file, which is replaced as a whole")
    text = json.dumps({**document, "seal": digest(document)}, indent=2, ensure_ascii=True) + "\n"
    if _is_too_large(text):
        raise _unwritable(path, f"the plan is too large ({BOUNDS})", "plan a part at a time, with --target")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        check_no_link(path)
        beside.unlink(missing_ok=True)
        write_whole(beside, text, SAVED_MODE)
        beside.replace(path)
    except OSError as error:
        fix = "name a file in a directory that is there, and that you may write to"
        raise _unwritable(path, error.strerror, fix) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def _check_read_back(document: Mapping[str, Any], desired: Desired) -> None:
    """Refuse to save what would not be applied as it was reviewed: a bug of ours that must not pass."""
    if from_document(document, Desired) != desired:
        summary = "the plan cannot be saved: what is wanted would not be read back as it is"
        fix = "this is a bug in codat-sync, and nothing was written; please report it"
        raise CodatSyncError(Diagnostic(CommandCode.PLAN_UNWRITABLE, summary, fix))


def _unwritable(path: Path, why: str | None, fix: str) -> CodatSyncError:
    return CodatSyncError(Diagnostic(CommandCode.PLAN_UNWRITABLE, f"{path} cannot be written: {why}", fix))


def read(path: Path) -> Saved:
    """The saved plan at ``path``.

    Raises:
        CodatSyncError: there is no such file, or it cannot be read.
        RefusedError: it is cut, edited, of another version, or no saved plan at all.
    """
    try:
        text = read_regular(path, LARGEST).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CodatSyncError(
            Diagnostic(
                CommandCode.PLAN_UNREADABLE, f"{path} cannot be read: {reason}", "name a file of plan --out"
            )
        ) from None
    document = _sound(path, text)
    try:
        saved = _saved(document)
    except (ValueError, TypeError, AttributeError, OverflowError):
        # The schema says what most values are, and not which dates, names and members of what there are.
        raise _refused(path, CommandCode.PLAN_MALFORMED, "has a value that no plan has") from None
    if saved.plan.digest != document["digest"]:
        raise _refused(path, CommandCode.PLAN_EDITED, "has been edited since it was saved")
    return saved


def _saved(document: Mapping[str, Any]) -> Saved:
    run = document["run"]
    plan = read_plan(document)
    known_from(plan.actions)
    # What specs say is UTF-8; half a character there, which JSON can write, is in no file and no request.
    json.dumps((run, document["desired"]), ensure_ascii=False).encode()
    return Saved(
        plan,
        from_document(document["desired"], Desired),
        from_document(run["workspace"], Workspace),
        from_document(run["options"], Options),
        Path(run["specs"]),
    )


def check_place(path: Path, workspace: Workspace, *, sandbox: bool) -> None:
    """Refuse a plan of a workspace that is not here: references and commands are looked up below its root.

    A plan file may come from elsewhere, and its seal tells slips and not malice; it must not point at
    another directory's secrets. The sandbox needs no workspace.yaml, so there a root may lack one.

    Raises:
        RefusedError: the root has nothing to do with where we run, or is no workspace's.
    """
    root, here = Path(workspace.root), Path.cwd()
    if not (here.is_relative_to(root) or root.is_relative_to(here)):
        problem = "is neither around nor below this directory"
    elif not (sandbox or any((root / name).is_file() for name in WORKSPACE_FILES)):
        problem = f"has no {WORKSPACE_FILES[0]}"
    else:
        return
    told = f"{path} is of a workspace elsewhere: {root} {problem}"
    fix = "apply it where the workspace is checked out, from the directory that it was made in"
    raise RefusedError(Diagnostic(CommandCode.PLAN_ELSEWHERE, told, fix))


def check_commands(path: Path, saved: Saved) -> None:
    """Refuse a plan that would run programs of a workspace that is not the one around or right below us.

    Who may write a plan file, and add a file somewhere in the checkout, must not have it choose the programs.

    Raises:
        RefusedError: it would.
    """
    root = Path(saved.workspace.root)
    if root in {locate(real_path(place)).root for place in (Path.cwd(), Path(DEFAULT_SPECS))}:
        return
    if asked := sorted(_schemes(saved.desired) & secret_commands(root).by_scheme.keys()):
        told = f"{path} has secrets looked up by programs that {root / WORKSPACE_FILES[0]} names: {asked[0]}"
        fix = f"if that is the workspace that you mean, name its specs too: apply SPECS --plan {path}"
        raise RefusedError(Diagnostic(CommandCode.PLAN_ELSEWHERE, told, fix))


def _schemes(desired: Desired) -> frozenset[str]:
    return frozenset(
        value.scheme
        for company in desired.companies.values()
        for connection in company.connections.values()
        for value in connection.authorization.values()
        if isinstance(value, SecretRef)
    )


def _sound(path: Path, text: str) -> dict[str, Any]:
    if _is_too_large(text):
        raise _refused(path, CommandCode.PLAN_MALFORMED, f"is larger than a saved plan may be ({BOUNDS})")
    document = _parsed(path, text)
    version = document.get("formatVersion") if isinstance(document, dict) else None
    if version != FORMAT_VERSION:
        raise _refused(path, CommandCode.PLAN_VERSION, "is no plan of this version of codat-sync")
    seal = document.get("seal")
    sealed = {name: value for name, value in document.items() if name != "seal"}
    if seal is None:
        raise _refused(path, CommandCode.PLAN_UNSAVED, "was printed, and not saved with plan --out")
    if seal != digest(sealed):
        raise _refused(path, CommandCode.PLAN_EDITED, "has been edited since it was saved")
    if complaint := plan_complaints(document):
        raise _refused(path, CommandCode.PLAN_MALFORMED, f"is not of the form of a plan: {complaint}")
    return sealed


def _parsed(path: Path, text: str) -> Any:
    try:
        document = json.loads(text)
        # Depth that can be read and not written, and numbers that JSON does not have.
        json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError):
        raise _refused(
            path, CommandCode.PLAN_CUT, "is not whole: it does not hold one JSON document"
        ) from None
    return document


def _is_too_large(text: str) -> bool:
    return len(text) > LARGEST or sum(map(text.count, ",[{")) > MOST_VALUES


def _refused(path: Path, code: CommandCode, what: str) -> RefusedError:
    return RefusedError(Diagnostic(code, f"{path} {what}", PLAN_AGAIN))
