"""A workspace to write specs into, and the rendered diagnostics of loading it."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import pytest

from reconciler.diagnostics import Diagnostic
from reconciler.loading import Loaded, SpecError, load

WORKSPACE = "version: 1\nworkspace: prod\n"
OPENING = "version: 1\ncompanies:\n"


@dataclass
class Project:
    """A directory of specs that is also the current one; ``root`` is its real path."""

    root: Path

    def write(self, **files: str | bytes) -> "Project":
        """Write files by name, ``__`` for a slash and ``_yaml`` for the suffix."""
        for name, text in files.items():
            self.put(name.replace("__", "/").replace("_yaml", ".yaml"), text)
        return self

    def put(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def connection(self, fields: str) -> None:
        """Write a spec of one company ``a`` with one connection ``x`` of these fields."""
        head = "version: 1\ncompanies:\n  a:\n    name: A\n    connections:\n      x:\n"
        self.put("specs/a.yaml", head + indent(fields, " " * 8) + "\n")

    def load(self, specs: str = "specs", **options) -> Loaded:
        return load(Path(specs), **options)

    def errors(self, specs: str = "specs", **options) -> tuple[Diagnostic, ...]:
        with pytest.raises(SpecError) as caught:
            self.load(specs, **options)
        return caught.value.diagnostics

    def lines(self, specs: str = "specs", **options) -> list[str]:
        return [str(error) for error in self.errors(specs, **options)]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    made = Project(tmp_path)
    made.put("specs/workspace.yaml", WORKSPACE)
    return made
