"""Every failure's advice leads on: for each row, its failure is produced and what it says is done.

A story makes the trouble, yields, and then does what the advice says, as a user would; the next run must end
with everything done, and the plan after it be empty.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest
import virtual_time
from apply_codat import Fault
from apply_scenes import QBO, WORKSPACE, Scene, ends, live_company

from reconciler.apply.failing import OF_ERROR
from reconciler.codat.errors import (
    AlreadyQueuedError,
    ApiError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServerFaultError,
    UnreachableError,
)
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.live import Live
from reconciler.model import (
    MAX_TAGS,
    PROTECT_TAG,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Migration,
    Precondition,
    PreconditionState,
    Presence,
    SourceType,
)
from reconciler.outcome import Outcome, Then
from reconciler.plan import Plan
from reconciler.planner import Policy, make_plan
from reconciler.secret_refs import Secret, SecretRef, Variable

TESTS: Final = Path(__file__).parents[1]
ALWAYS: Final = 99
ACME: Final = DesiredCompany(
    key="acme",
    name="Acme",
    connections={
        "books": DesiredConnection(
            key="books",
            platform=QBO,
            platform_key=QBO,
            source_type=SourceType.ACCOUNTING,
            migration=Migration.SELF_SERVICE,
            authorization={"accessToken": SecretRef(Variable("TOKEN"))},
            preconditions=dict.fromkeys(Precondition, PreconditionState.DONE),
        )
    },
)


@dataclass
class User:
    """Who runs plan and apply on a spec of a few companies, before a Codat in memory."""

    scene: Scene = field(default_factory=lambda: Scene(concurrency=1))
    companies: tuple[DesiredCompany, ...] = (ACME,)
    reauthorize: tuple[str, ...] = ()
    resolve: Callable[[SecretRef], Secret] | None = None

    def trouble(self, method: str, error: BaseException | None = None, **fields: object) -> None:
        """Let requests of a method fail until it is mended."""
        fields.setdefault("times", ALWAYS)
        self.scene.codat.faults.append(Fault(method, error, **fields))

    def mend(self) -> None:
        self.scene.codat.faults.clear()

    def respell(self, **fields: object) -> None:
        """Change the spec of the first company."""
        self.companies = (replace(self.companies[0], **fields), *self.companies[1:])

    def plan(self) -> Plan:
        codat, now = self.scene.codat, self.scene.clock.now()
        live = Live(
            companies=tuple(codat.live.values()),
            pulls={company: tuple(codat.current_pulls(company)) for company in codat.live},
            fetched_types=frozenset({"invoices"}),
        )
        desired = Desired(workspace=WORKSPACE, companies={company.key: company for company in self.companies})
        policy = Policy(now=now, reauthorize=self.reauthorize)
        return make_plan(desired, live, policy, tool="t", api="a")

    async def apply(self) -> Outcome:
        options = {"resolve": self.resolve} if self.resolve else {}
        return await self.scene.apply(self.plan(), **options)

    async def settle(self) -> None:
        """Apply once, before there is any trouble."""
        outcome = await self.apply()
        assert outcome.is_complete, ends(outcome)
        await self.scene.clock.sleep(3600)


Story = Callable[[User], AsyncIterator[None]]


# --- the rows of errors ------------------------------------------------------------------------


def _update_fails(error: ApiError) -> Story:
    async def story(user: User) -> AsyncIterator[None]:
        await user.settle()
        user.respell(description="new")
        user.trouble("update_company", error)
        yield
        user.mend()

    return story


async def _goes_meanwhile(user: User) -> AsyncIterator[None]:
    await user.settle()
    user.respell(description="new")
    user.trouble("company", then=user.scene.codat.live.clear, times=1)
    yield


OF_ERRORS: Final[dict[type[ApiError], Story]] = {
    NoAnswerError: _update_fails(NoAnswerError("no answer")),
    UnreachableError: _update_fails(UnreachableError("no connection")),
    ServerFaultError: _update_fails(ServerFaultError("500", status=500)),
    NotFoundError: _goes_meanwhile,
    RejectedError: _update_fails(RejectedError("400: too long", status=400)),
    ApiError: _update_fails(ApiError("a new kind of answer")),
}


# --- the rows of advice ------------------------------------------------------------------------


async def _no_server_creates(user: User) -> AsyncIterator[None]:
    user.trouble("create_company", ServerFaultError("500", status=500))
    yield
    user.mend()
    await user.scene.clock.sleep(90 * 60)


async def _deleted_too_often(user: User) -> AsyncIterator[None]:
    user.respell(connections={})
    for _ in range(50):
        assert (await user.apply()).is_complete
        user.scene.codat.live.clear()
        await user.scene.clock.sleep(70)
    yield
    await user.scene.clock.sleep(90 * 60)


async def _a_sync_in_progress(user: User) -> AsyncIterator[None]:
    user.trouble("sync_all", AlreadyQueuedError("409", status=409))
    yield
    user.mend()


async def _no_secret(user: User) -> AsyncIterator[None]:
    def missing(ref: SecretRef) -> Secret:
        raise CodatSyncError(Diagnostic("secret-missing", f"{ref.locator} is not set"))

    user.resolve = missing
    yield
    user.resolve = None


async def _stopped_behind_a_write(user: User) -> AsyncIterator[None]:
    user.trouble("create_company", NoAnswerError("no answer"), then=user.scene.stop.set)
    yield
    user.mend()
    user.scene.stop.clear()


async def _no_answer_about_tokens(user: User) -> AsyncIterator[None]:
    user.trouble("authorize", NoAnswerError("no answer"))
    yield
    user.mend()


async def _no_answer_about_tokens_again(user: User) -> AsyncIterator[None]:
    await user.settle()
    user.reauthorize = ("acme/books",)
    user.trouble("authorize", NoAnswerError("no answer"), after=True)
    yield
    user.mend()
    user.reauthorize = ()  # verify shows that it works


async def _a_create_is_refused(user: User) -> AsyncIterator[None]:
    user.trouble("create_company", RejectedError("400: no such name", status=400))
    yield
    user.mend()
    await user.scene.clock.sleep(90 * 60)


async def _tokens_are_refused(user: User) -> AsyncIterator[None]:
    user.scene.secrets["TOKEN"] = "bad-token"
    yield
    user.scene.secrets["TOKEN"] = "good-token"


async def _others_fail_first(user: User) -> AsyncIterator[None]:
    user.companies = (ACME, replace(ACME, key="bravo", name="Bravo"))
    user.scene.max_failures = 1
    user.scene.secrets["TOKEN"] = "bad-token"
    yield
    user.scene.secrets["TOKEN"] = "good-token"


async def _another_answer(user: User) -> AsyncIterator[None]:
    await user.settle()
    user.respell(name="Acme Stores")
    user.trouble("update_company", replaces={"name": "Another"})
    yield
    user.mend()


async def _two_of_one_key(user: User) -> AsyncIterator[None]:
    codat = user.scene.codat
    twins = [live_company(id=f"{which}-twin") for which in ("first", "second")]

    def double() -> None:
        for twin in twins:
            codat.add(twin)

    user.respell(connections={})
    user.trouble("create_company", ServerFaultError("500", status=500), then=double)
    yield
    user.mend()
    del codat.live["second-twin"]
    user.respell(id="first-twin")


async def _lost_our_tags(user: User) -> AsyncIterator[None]:
    user.respell(connections={})
    await user.apply()
    await user.scene.clock.sleep(180)
    before = user.scene.company
    user.scene.codat.live.clear()
    user.trouble("create_company", then=lambda: user.scene.codat.add(replace(before, tags={})), times=1)
    yield
    user.respell(id=before.id)


async def _protected_meanwhile(user: User) -> AsyncIterator[None]:
    await user.settle()
    live = user.scene.company
    guarded = replace(live, tags={**live.tags, PROTECT_TAG: "true"})
    user.respell(state=Presence.ABSENT)
    user.trouble("company", then=lambda: user.scene.codat.add(guarded), times=1)
    yield
    user.respell(state=Presence.PRESENT, protect=False)
    assert (await user.apply()).is_complete
    user.respell(state=Presence.ABSENT)


async def _no_room_for_a_mark(user: User) -> AsyncIterator[None]:
    await user.settle()
    live = user.scene.company
    full = {f"theirs{number}": "x" for number in range(MAX_TAGS - len(live.tags))}
    user.scene.codat.add(replace(live, tags={**live.tags, **full}))
    user.reauthorize = ("acme/books",)
    yield
    user.respell(tags={"theirs0": None})
    assert (await user.apply()).is_complete
    user.reauthorize = ()


async def _a_bug(user: User) -> AsyncIterator[None]:
    def breaks(ref: SecretRef) -> Secret:
        raise ZeroDivisionError(str(ref.locator))

    user.resolve = breaks
    yield
    user.resolve = None


async def _kept_otherwise(user: User) -> AsyncIterator[None]:
    await user.settle()
    user.respell(description="a  text")
    user.trouble("update_company", replaces={"description": "a text"})
    yield
    user.mend()
    user.respell(description="a text")


STORIES: Final[dict[Then, Story]] = {
    Then.THEN_RESUME: OF_ERRORS[ApiError],
    Then.LATER: _no_server_creates,
    Then.AFTER_KEYS: _deleted_too_often,
    Then.WHEN_SYNCED: _a_sync_in_progress,
    Then.WHEN_SECRET: _no_secret,
    Then.WHEN_REACHED: OF_ERRORS[UnreachableError],
    Then.SAFE: OF_ERRORS[NoAnswerError],
    Then.LOOKS_FIRST: _stopped_behind_a_write,
    Then.READS_FIRST: _no_answer_about_tokens,
    Then.VERIFY_FIRST: _no_answer_about_tokens_again,
    Then.REFUSED: OF_ERRORS[RejectedError],
    Then.REFUSED_CREATE: _a_create_is_refused,
    Then.CORRECT: _tokens_are_refused,
    Then.PUT_RIGHT: _others_fail_first,
    Then.PLAN_AGAIN: OF_ERRORS[NotFoundError],
    Then.COMPARE: _another_answer,
    Then.PIN: _two_of_one_key,
    Then.ADOPT: _lost_our_tags,
    Then.UNPROTECT: _protected_meanwhile,
    Then.MAKE_ROOM: _no_room_for_a_mark,
    Then.REPORT: _a_bug,
    Then.WRITE_AS_KEPT: _kept_otherwise,
}


ELSEWHERE: Final = {
    Then.CANARY: "cli/test_cli_rollout.py::test_the_same_command_resumes_and_the_results_read_as_one",
    Then.ACCOUNT_FIRST: "apply/test_apply_account.py::test_an_account_that_fails_holds_back_the_companies",
    Then.DELETE_MARK: "apply/test_apply_account.py::test_two_workspaces_at_once_never_both_go_on",
    Then.WITH_PRODUCTS: "cli/test_cli_products.py::"
    "test_an_account_that_wants_a_product_says_what_to_write_and_then_takes_it",
}
"""Advice of a whole rollout, of the account and of its settings, and the test that follows it."""


def test_every_row_has_a_story() -> None:
    assert set(OF_ERRORS) == set(OF_ERROR)
    assert set(STORIES) | set(ELSEWHERE) == set(Then)
    for place in ELSEWHERE.values():
        path, name = place.split("::")
        assert f"def {name}(" in (TESTS / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", OF_ERROR)
def test_the_advice_of_every_error_leads_on(kind: type[ApiError]) -> None:
    virtual_time.run(_walk(OF_ERROR[kind], OF_ERRORS[kind]))


@pytest.mark.parametrize("then", STORIES)
def test_every_advice_leads_on(then: Then) -> None:
    virtual_time.run(_walk(then, STORIES[then]))


async def _walk(then: Then, story: Story) -> None:
    user = User()
    async with aclosing(story(user)) as steps:
        await anext(steps)
        failed = await user.apply()
        failures = [failed.stopped, *(result.failure for result in failed.results)]
        told = [failure.then for failure in failures if failure]
        assert any(_as_pattern(then).fullmatch(text) for text in told), (told, ends(failed))
        await anext(steps, None)
    resumed = await user.apply()
    assert resumed.is_complete, ends(resumed)
    await user.scene.clock.sleep(60)
    assert user.plan().actions == ()


def _as_pattern(then: Then) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(then)))
