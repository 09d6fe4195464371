"""Packages that resolve references of a scheme of their own, by entry point."""

import sys
import traceback

import pytest

from reconciler.secret_refs import Lookup, SecretRef
from reconciler.secrets import Resolver, SecretCode, SecretError

CANARY = "canary-3c8e"
PACKAGE = """
def good(ref): return ref.upper()
def raising(ref): raise LookupError("{canary}")
def wrong(ref): return b"{canary}"
def nothing(ref): return ""
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "keyring_codat-1.dist-info").mkdir(parents=True)
    (site / "keyring_codat-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: keyring-codat\n")
    points = "".join(
        f"{name} = keyring_codat:{name}\n" for name in ("good", "raising", "wrong", "nothing", "none")
    )
    (site / "keyring_codat-1.dist-info/entry_points.txt").write_text(f"[codat_sync.secrets]\n{points}")
    (site / "keyring_codat.py").write_text(PACKAGE.format(canary=CANARY))
    monkeypatch.syspath_prepend(str(site))
    yield tmp_path
    sys.modules.pop("keyring_codat", None)


def test_a_provider_gives_the_secret_and_is_loaded_no_sooner(package):
    resolve = Resolver(package, {})
    assert "keyring_codat" not in sys.modules
    assert resolve(SecretRef(Lookup("good", "acme"))).reveal() == "ACME"


@pytest.mark.parametrize(
    ("scheme", "problem"),
    [
        ("raising", "gave LookupError"),
        ("wrong", "gave no text"),
        ("nothing", "gave nothing"),
        ("none", "gave AttributeError"),
    ],
)
def test_a_provider_that_fails_is_named_and_its_words_are_not_shown(package, scheme, problem):
    with pytest.raises(SecretError, match=problem) as caught:
        Resolver(package, {})(SecretRef(Lookup(scheme, "acme")))
    assert caught.value.diagnostics[0].code == SecretCode.PROVIDER
    chain, texts = caught.value, []
    while chain is not None:
        texts += [repr(chain), "".join(traceback.format_exception(chain))]
        chain = chain.__context__
    assert CANARY not in "".join(texts)


def test_the_sandbox_asks_none(package):
    with pytest.raises(SecretError, match="there is no such kind of reference"):
        Resolver(package, {}, providers=False)(SecretRef(Lookup("good", "acme")))
