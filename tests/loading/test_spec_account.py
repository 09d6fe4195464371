"""``account.yaml``: what a bad one prints, and which file it is."""

from __future__ import annotations

import pytest

from reconciler.loading import SpecCode

CANARY = "c4n4ry"
HEAD = "version: 1\nwebhooks:\n"


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("a: {url: 'http://x.example', eventTypes: [x]}", SpecCode.WEBHOOK_URL, "no https URL"),
        (
            f"a: {{url: 'https://x.example/?k={CANARY}', eventTypes: [x]}}",
            SpecCode.WEBHOOK_URL,
            "be a secret",
        ),
        (f"a: {{url: 'https://u:{CANARY}@x.example', eventTypes: [x]}}", SpecCode.WEBHOOK_URL, "be a secret"),
        ("a: {url: '${vault:x}', eventTypes: [x]}", SpecCode.REFERENCE_SCHEME, "no such kind"),
        ("a: {url: 'https://x.example'}", SpecCode.MISSING_FIELD, "needs eventTypes"),
        ("a: {state: absent}", SpecCode.MISSING_FIELD, "its id, or its url"),
        (
            "a: {url: 'https://x.ex', eventTypes: [x]}\n  b: {url: 'https://x.ex', eventTypes: [x]}",
            SpecCode.WEBHOOK_TWICE,
            "'a' is the same consumer",
        ),
    ],
)
def test_a_bad_webhook_says_what_to_write_and_shows_no_secret(project, text, code, told):
    project.put("specs/a.yaml", "version: 1\ncompanies: {a: {name: A}}\n")
    project.put("specs/account.yaml", f"{HEAD}  {text}\n")
    (found,) = project.errors()
    assert (found.code, told in str(found)) == (code, True), str(found)
    assert str(found).startswith("specs/account.yaml:")
    assert CANARY not in str(found)


def test_it_is_of_the_whole_workspace_and_no_spec(project):
    project.put("specs/a.yaml", "version: 1\ncompanies: {a: {name: A}}\n")
    project.put("specs/account.yaml", f"{HEAD}  old: {{url: 'https://x.example', state: absent}}\n")
    loaded = project.load()
    assert loaded.files == ("specs/a.yaml",)
    assert loaded.desired.account is not None
    assert project.load("specs/a.yaml").desired.account is None, "a part says nothing of the account"


def test_an_account_alone_is_a_workspace(project):
    project.put("specs/account.yaml", "version: 1\nprofile: {redirectUrl: 'https://x.example'}\n")
    assert project.load().desired.account.profile == {"redirectUrl": "https://x.example"}
