"""A secret can be sent, and nothing else: it refuses every way out of the process, and shows as ``***``."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from dataclasses import asdict, dataclass

import pytest

from reconciler.secret_refs import Secret

CANARY = "CANARY4711"


@dataclass(frozen=True)
class Holder:
    """Something that holds a secret, as a live connection holds its link URL."""

    secret: Secret


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>40}",
        lambda secret: f"{secret:>40}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - the old way must be safe too
        lambda secret: "{0} {0!r}".format(secret),  # noqa: UP032
        lambda secret: str([secret, {"a": secret}, (secret,)]),
        lambda secret: repr(Holder(secret)),
        lambda secret: str(ValueError(secret)),
        lambda secret: repr(KeyError(secret)),
    ],
)
def test_it_shows_as_stars(show) -> None:
    shown = show(Secret(CANARY))
    assert CANARY not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "take",
    [
        json.dumps,
        lambda secret: json.dumps({"a": [secret]}),
        *(
            lambda secret, number=number: pickle.dumps(secret, number)
            for number in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
        copy.copy,
        copy.deepcopy,
        lambda secret: asdict(Holder(secret)),
        vars,
        bytes,
        iter,
        len,
    ],
)
def test_it_cannot_be_taken_out(take) -> None:
    with pytest.raises(TypeError) as caught:
        take(Secret(CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_it_can_be_compared_and_sent() -> None:
    assert Secret(CANARY) == Secret(CANARY) != Secret("another")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY)}) == 1
    assert Secret(CANARY).reveal() == CANARY
