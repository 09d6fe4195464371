"""Virtual time passes in order, at once, and does not hang."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiolimiter import AsyncLimiter
from virtual_time import START, VirtualClock, run


def test_hours_pass_at_once_and_in_order() -> None:
    async def main() -> list[str]:
        met: list[str] = []

        async def after(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            met.append(f"{name} {round((VirtualClock().now() - START).total_seconds())}")

        await asyncio.gather(after(7200, "late"), after(60, "early"))
        return met

    began = time.monotonic()

    assert run(main()) == ["early 60", "late 7200"]
    assert time.monotonic() - began < 5


def test_a_limiter_and_a_timeout_go_by_it() -> None:
    async def main() -> float:
        limiter = AsyncLimiter(1, 0.1)

        async def forever() -> None:
            while True:
                await limiter.acquire()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(forever(), 300)
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(300, abs=0.1)


def test_tasks_that_wait_for_ever_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("virtual_time.PATIENCE", 0.0)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing is left that could wake one"):
        run(main())
