"""What a command works out is handed over as it is: not written out on the way, and not worked out twice."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from reconciler.cli import run as command
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.loading import BUILTIN_PLATFORMS, Loaded, load
from reconciler.model import Platform, SourceType
from reconciler.workflow import reading
from reconciler.workflow.endpoint import Endpoint, run
from reconciler.workflow.planning import Context, Planned, PlanRequest, plan
from reconciler.workflow.verifying import Survey, SurveyContext

SANDBOX = Endpoint({}, sandbox_file=Path("codat.db"))
SPEC = """\
version: 1
companies:
  acme: {name: Acme, connections: {books: {platform: PLATFORM, authorization: {accessToken: "${env:A}"}}}}
"""


class NeverShown:
    """Something so long that writing it out would cost more than working it out."""

    def __repr__(self) -> NoReturn:
        raise AssertionError("it was written out")


class NeverShownError(CodatSyncError, NeverShown):
    """An error with as much to tell."""

    __repr__ = NeverShown.__repr__


def test_a_result_is_handed_over_without_being_written_out() -> None:
    made = NeverShown()

    async def work() -> NeverShown:
        return made

    assert run(work()) is made


def test_an_error_is_handed_over_without_being_written_out() -> None:
    error = NeverShownError(Diagnostic("bad", "it failed"))

    async def work() -> None:
        raise error

    with pytest.raises(NeverShownError) as caught:
        run(work())
    assert caught.value is error


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, "xero")


def write(directory: Path, platform: str) -> Path:
    specs = directory / "specs"
    specs.mkdir(exist_ok=True)
    (specs / "acme.yaml").write_text(SPEC.replace("PLATFORM", platform))
    return specs


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("explain", "acme"),
        ("retired",),
        ("links", "--out", "links.csv"),
        ("apply", "--yes"),
        ("verify",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_command_writes_out_what_it_read_or_planned(
    arguments: tuple[str, ...], specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del specs
    for noun in (Planned, Survey, SurveyContext, Loaded):
        monkeypatch.setattr(noun, "__repr__", NeverShown.__repr__)
    assert command([*arguments, "--sandbox"]) == (1 if arguments[0] == "verify" else 0)


def test_a_plan_written_out_by_mistake_is_one_line(specs: Path) -> None:
    endpoint = Endpoint({}, sandbox_file=Path("codat.db"))
    planned = plan(PlanRequest(specs, Context(endpoint)))
    assert planned.plan.actions
    assert len(repr(planned)) < 2500


# --- loading -----------------------------------------------------------------------------------

FEED = Platform(key="feed", name="Harbour Bank Feeds", source_type=SourceType.BANK_FEED)
RENAMED = Platform(key="gbol", name="Xero Blue", source_type=SourceType.ACCOUNTING)
RESORTED = Platform(key="gbol", name="Xero", source_type=SourceType.BANK_FEED)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The paths from which specs are loaded, as often as they are."""
    loaded: list[Path] = []

    def counted(path: Path, **options: object) -> Loaded:
        loaded.append(path)
        return load(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "load", counted)
    return loaded


@pytest.mark.parametrize(
    ("written", "listing", "times"),
    [
        pytest.param("xero", BUILTIN_PLATFORMS, 1, id="the platforms that are built in"),
        pytest.param("xero", (), 1, id="no platform at all"),
        pytest.param("xero", (*BUILTIN_PLATFORMS, FEED), 1, id="a new platform that no spec names"),
        pytest.param("harbour-bank-feeds", (*BUILTIN_PLATFORMS, FEED), 2, id="a new platform that is named"),
        pytest.param("xero", (RESORTED,), 2, id="a named platform of another kind"),
        pytest.param("gbol", (RENAMED,), 2, id="a named platform of another name"),
        pytest.param("stripe", (RESORTED, RENAMED), 1, id="a platform of another kind that no spec names"),
    ],
)
def test_specs_are_read_again_only_where_codat_says_otherwise_of_what_they_name(
    written: str, listing: tuple[Platform, ...], times: int, specs: Path, loads: list[Path]
) -> None:
    write(specs.parent, written)
    settled = reading.read_specs(specs, SANDBOX).settle(listing)
    connection = settled.desired.companies["acme"].connections["books"]
    told = {platform.key: platform.source_type for platform in (*BUILTIN_PLATFORMS, *listing)}
    assert connection.source_type is told[connection.platform_key]
    assert len(loads) == times


@pytest.mark.parametrize("setting", ["platforms: {NAME: {}}", "defaults: {connection: {platform: NAME}}"])
def test_the_platforms_of_the_workspace_count_as_named(setting: str, specs: Path, loads: list[Path]) -> None:
    (specs / "workspace.yaml").write_text("version: 1\n" + setting.replace("NAME", "xero"))
    write(specs.parent, "stripe")
    offline = reading.read_specs(specs, SANDBOX)
    offline.settle([RESORTED])
    assert len(loads) == 2
