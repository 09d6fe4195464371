"""Measures codat-sync from outside, each step beside a floor that is measured in the same run.

    .venv/bin/python tests/benchmarks/run.py [--companies 1000 10000] [--formats] [--apply] [--peers]
    .venv/bin/python tests/benchmarks/run.py --companies 100000 --rounds 1

Prints tables for docs/performance.md. Processor time is that of the whole process, start-up included, as the
operating system counts it; the floor is PyYAML's C loader reading as many companies, at most 10,000 and 100 a
file, in a process of its own right before the step. Bytecode is compiled, as pip leaves it. Figures are the
medians of the rounds. ``--apply`` runs in virtual time.
``--peers`` needs ``tests/benchmarks/requirements.txt`` installed, and says how many times as long as our plan
of unchanged companies the others take for as many objects.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from worlds import write_set, write_specs

HERE: Final = Path(__file__).parent
PRODUCT: Final = [sys.executable, "-c", "from reconciler.cli import main; main()"]
LOADER: Final = (
    "import pathlib, sys, yaml\n"
    "for path in sorted(pathlib.Path(sys.argv[1]).rglob('*.yaml')):\n"
    "    yaml.load(path.read_bytes(), yaml.CSafeLoader)\n"
)
FORMATS: Final = ("text", "json", "markdown", "html")
APPLIES: Final = (
    (600, 6000, 0.05),
    (100, 600, 0.05),
    (100, 600, 0.5),
    (100, 600, 1.5),
    (100, 600, 1.9),
    (600, 600, 1.9),
    (600, 1000, 1.9),
    (100, 600, 1.5, 10),
)
"""Companies, requests a minute, seconds of latency, and where it is told how many companies at once."""
FLOOR: Final = 10_000
"""Companies that the loader reads at most."""


COMPILED: Final = str(Path(tempfile.gettempdir()) / "codat-sync-benchmark-bytecode")
"""Where compiled bytecode lies; the first round compiles what is not there yet."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    processor: float
    wall: float
    peak: float
    """MiB."""


def cost(command: Sequence[str]) -> Cost:
    """Run a command to its end; what it prints is thrown away."""
    began = time.perf_counter()
    environment = {**os.environ, "CODAT_API_KEY": "bench", "PYTHONPYCACHEPREFIX": COMPILED}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    wall = time.perf_counter() - began
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


@dataclass(frozen=True, slots=True)
class Bench:
    """How often each step is measured, and where its line goes."""

    rounds: int

    def step(self, name: str, command: Sequence[str], floor: Path | None = None, over: float = 0.0) -> float:
        """Measure a step, beside the floor where there is one, print its line, and return its processor time.

        Where it is a peer's, the line says how many times ``over`` it is.
        """
        costs, floors = [], []
        for _ in range(self.rounds):
            floors += [cost([sys.executable, "-c", LOADER, str(floor)]).processor] if floor else []
            costs.append(cost(command))
        middle = median(each.processor for each in costs)
        figures = (
            f"{middle:.2f}",
            f"{middle / median(floors):.2f}" if floors else "",
            f"{median(each.wall for each in costs):.2f}",
            f"{median(each.peak for each in costs):.0f}",
        )
        told = f"{name}: {middle / over:.1f} times our plan" if over else name
        print(f"| {told} | {' | '.join(figures)} |", flush=True)
        return middle


@contextmanager
def listing(companies: int, stale: int = 0, unknown: int = 0) -> Iterator[str]:
    """The address of a server that has such a world."""
    command = [sys.executable, str(HERE / "listing.py"), str(companies), str(stale), str(unknown)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def plans(bench: Bench, specs: Path, floor: Path, companies: int, name: str, *, formats: bool) -> float:
    """Plans of the same specs against three worlds, and of all new ones in every format.

    Returns the processor time of the plan of unchanged companies.
    """
    took = {}
    size = f"{companies:,} companies, {name}"
    worlds = (("all unchanged", companies, 0), ("1 % changed", companies, 100), ("all new", 0, 0))
    bench.step(f"validate, {size}", [*PRODUCT, "validate", str(specs)], floor)
    for what, there, stale in worlds:
        with listing(there, stale, 50) as address:
            command = [*PRODUCT, "plan", str(specs), "--api-url", address, "--format"]
            took[what] = bench.step(f"plan, {what}, {size}", [*command, "json"], floor)
            for format_ in FORMATS if formats and not there else ():
                bench.step(f"plan as {format_}, {what}, {size}", [*command, format_], floor)
    return took["all unchanged"]


def start_up(bench: Bench) -> None:
    """What is paid before anything is done."""
    examples = str(HERE.parents[1] / "specs")
    for arguments in (["--help"], ["validate", examples], ["explain", "relink"]):
        bench.step(f"`{arguments[0]}`", [*PRODUCT, *arguments])
    for imported in ("", "import click", "import click, yaml, jsonschema_rs"):
        bench.step(f"`{imported}`" if imported else "Python alone", [sys.executable, "-c", imported])


def applies() -> None:
    """The share of the allowed rate that an apply of new companies reaches, in virtual time."""
    print("| apply | requests | seconds | share of the rate | busiest 60 s |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for companies, rate, latency, *together in APPLIES:
        settings = (companies, rate, latency, *together)
        command = [sys.executable, str(HERE / "applying.py"), *map(str, settings)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        name = f"{companies} companies, {rate:,} a minute, {latency} s away"
        name += "".join(f", told {number} at once" for number in together)
        busiest = f"{told['busiest minute']:,} of {rate:,}"
        print(
            f"| {name} | {told['requests']:,} | {told['seconds']} | {told['share']:.1%} | {busiest} |",
            flush=True,
        )


def peers(bench: Bench, companies: int, planned: float) -> None:
    """The same number of objects planned by others."""
    for peer in ("octodns", "terraform"):
        with tempfile.TemporaryDirectory() as directory:
            prepare = [sys.executable, str(HERE / "peers.py"), peer, directory, str(companies)]
            cost([*prepare, "prepare"])
            bench.step(f"{peer}, {companies:,} objects, all unchanged", [*prepare, "plan"], over=planned)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--companies", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--formats", action="store_true", help="plans of all new companies in every format too"
    )
    parser.add_argument(
        "--apply", action="store_true", help="the share of the rate that an apply reaches too"
    )
    parser.add_argument("--peers", action="store_true", help="octoDNS and Terraform too")
    parser.add_argument(
        "--layouts", nargs="+", default=["100 a file"], help="of: 'one a file', '100 a file', 'a table'"
    )
    asked = parser.parse_args()
    bench = Bench(asked.rounds)
    print("| step | processor s | times the floor | wall s | peak MiB |\n| --- | ---: | ---: | ---: | ---: |")
    start_up(bench)
    for companies in asked.companies:
        for layout in asked.layouts:
            with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as beside:
                root = Path(directory)
                is_table = layout == "a table"
                per_file = 1 if layout == "one a file" else 100
                specs = write_set(root, companies) if is_table else write_specs(root, companies, per_file)
                floor = write_specs(Path(beside), min(companies, FLOOR), 100)
                planned = plans(bench, specs, floor, companies, layout, formats=asked.formats)
        if asked.peers:
            peers(bench, companies, planned)
    if asked.apply:
        applies()


if __name__ == "__main__":
    main()
