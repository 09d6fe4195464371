"""A git repository in a test, steered as a developer does, and deaf to the machine's own settings."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SETTINGS: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


@dataclass(frozen=True)
class Repository:
    """A repository whose first branch is ``main``."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> Repository:
        """A new one at ``path``, with what is there already not yet committed."""
        path.mkdir(exist_ok=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main")
        return repository

    def git(self, *arguments: str) -> str:
        """What git prints."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env=environ | _SETTINGS,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, why: str) -> str:
        """Commit everything, and the new commit's name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", why)
        return self.git("rev-parse", "HEAD")

    def cloned(self, path: Path, *flags: str) -> Repository:
        """A clone at ``path``."""
        self.git("clone", "--quiet", *flags, f"file://{self.path}", str(path))
        return Repository(path)
