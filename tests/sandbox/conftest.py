"""A sandbox in memory, whose clock stands until a test lets it jump."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox_api import START, Api

from reconciler.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(now=lambda: START, seed=7)
    yield made
    made.close()


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)
