"""A reference gives its secret, or says what is missing and where; contents are never repeated."""

import json
import pickle
import traceback
from pathlib import Path
from typing import Final

import pytest

from reconciler.diagnostics import Span
from reconciler.secret_refs import (
    REFERENCE_ADVICE,
    SCHEMES,
    Cell,
    LocatorError,
    Lookup,
    SecretFile,
    SecretRef,
    Variable,
    locator_of,
)
from reconciler.secrets import MadeUp, Resolver, SecretCode, SecretError

CANARY = "canary-4f0c"
PLACE = Span("specs/acme.yaml", 9, 24)


def ref(text: str) -> SecretRef:
    scheme, _, locator = text.removeprefix("${").removesuffix("}").partition(":")
    return SecretRef(locator_of(scheme, locator), PLACE)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "secrets").mkdir(parents=True)
    (root / "secrets/token").write_text(CANARY + "\n")
    (root / "secrets/windows").write_bytes(b"\xef\xbb\xbf" + CANARY.encode() + b"\r\n")
    (root / "secrets/two").write_text(CANARY + "\n\n")
    (root / "secrets/empty").write_text("\n")
    (root / "secrets/latin").write_bytes(b"\xe9" + CANARY.encode())
    document = {
        "a": {"b/c": [CANARY], "~": CANARY},
        "n": 5,
        "": {"": CANARY},
        "none": "",
        "list": ["x"],
        "half": f"\ud800{CANARY}",
    }
    (root / "secrets/all.json").write_text(json.dumps(document))
    (root / "secrets/broken.json").write_text('{"token": "' + CANARY)
    (tmp_path / "outside").write_text(CANARY)
    (root / "secrets/link").symlink_to(tmp_path / "outside")
    (root / "secrets/inner").symlink_to(root / "secrets/token")
    (root / "secrets/loop").symlink_to(root / "secrets/loop")
    return root


def resolver(root) -> Resolver:
    return Resolver(
        root,
        {
            "TOKEN": CANARY,
            "EMPTY": "",
            "LINES": CANARY + "\n",
            "CODAT_API_KEY": CANARY,
            "codat_x": CANARY,
            "BYTES": f"{CANARY}\udcff",
        },
    )


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("${env:TOKEN}", CANARY),
        ("${env:LINES}", CANARY + "\n"),
        ("${file:secrets/token}", CANARY),
        ("${file:secrets/windows}", CANARY),
        ("${file:secrets/two}", CANARY + "\n"),
        ("${file:secrets/inner}", CANARY),
        ("${file:secrets/all.json#/a/b~1c/0}", CANARY),
        ("${file:secrets/all.json#/a/~0}", CANARY),
        ("${file:secrets/all.json#//}", CANARY),
    ],
)
def test_a_reference_gives_its_secret(root, reference, value):
    assert resolver(root)(ref(reference)).reveal() == value


BAD = [
    ("${env:NOT_THERE}", SecretCode.MISSING, "the environment variable NOT_THERE is not set"),
    ("${env:EMPTY}", SecretCode.MISSING, "the environment variable EMPTY is empty"),
    ("${env:CODAT_API_KEY}", SecretCode.RESERVED, "CODAT_ variables cannot be referred to"),
    ("${env:codat_x}", SecretCode.RESERVED, "CODAT_ variables cannot be referred to"),
    ("${env:BYTES}", SecretCode.NOT_TEXT, "it holds bytes or half characters that are no text"),
    ("${file:secrets/all.json#/half}", SecretCode.NOT_TEXT, "it holds bytes or half characters"),
    ("${file:secrets/nothing}", SecretCode.MISSING, "there is no file secrets/nothing"),
    ("${file:secrets/empty}", SecretCode.MISSING, "it is empty"),
    ("${file:secrets/latin}", SecretCode.UNREADABLE, "the file secrets/latin is not UTF-8 text"),
    ("${file:secrets/broken.json#/token}", SecretCode.UNREADABLE, "the file secrets/broken.json is not JSON"),
    ("${file:secrets}", SecretCode.UNREADABLE, "secrets is no regular file"),
    ("${file:secrets/token/deeper}", SecretCode.UNREADABLE, "cannot be read: not a directory"),
    ("${file:secrets/loop}", SecretCode.UNREADABLE, "cannot be read: too many levels of symbolic links"),
    ("${file:../outside}", SecretCode.OUTSIDE_ROOT, "'../outside' leads out of the workspace's root"),
    ("${file:/etc/hostname}", SecretCode.OUTSIDE_ROOT, "'/etc/hostname' leads out of the workspace's root"),
    ("${file:secrets/link}", SecretCode.OUTSIDE_ROOT, "'secrets/link' leads out of the workspace's root"),
    ("${file:secrets/all.json#/a/missing}", SecretCode.MISSING, "the JSON pointer leads nowhere"),
    ("${file:secrets/all.json#/list/00}", SecretCode.MISSING, "the JSON pointer leads nowhere"),
    ("${file:secrets/all.json#/list/1}", SecretCode.MISSING, "the JSON pointer leads nowhere"),
    ("${file:secrets/all.json#/list/-1}", SecretCode.MISSING, "the JSON pointer leads nowhere"),
    ("${file:secrets/all.json#/n/x}", SecretCode.MISSING, "the JSON pointer leads nowhere"),
    ("${file:secrets/all.json#/n}", SecretCode.NOT_TEXT, "leads to something that is not text"),
    ("${file:secrets/all.json#/a}", SecretCode.NOT_TEXT, "leads to something that is not text"),
    ("${file:secrets/all.json#/none}", SecretCode.MISSING, "it is empty"),
    ("${vault:kv/acme}", SecretCode.UNKNOWN_SCHEME, "there is no such kind of reference"),
]


@pytest.mark.parametrize(("reference", "code", "problem"), BAD)
def test_what_cannot_be_resolved_names_the_reference_and_its_place(root, reference, code, problem):
    with pytest.raises(SecretError) as caught:
        resolver(root)(ref(reference))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert diagnostic.span == PLACE
    assert str(diagnostic).startswith(f"specs/acme.yaml:9:24: {reference}: ")
    assert problem in diagnostic.summary
    assert diagnostic.fix


@pytest.mark.parametrize("reference", [row[0] for row in BAD])
def test_no_error_carries_what_a_file_holds(root, reference):
    with pytest.raises(SecretError) as caught:
        resolver(root)(ref(reference))
    chain, texts = caught.value, []
    while chain is not None:
        texts += [repr(chain), repr(vars(chain)), "".join(traceback.format_exception(chain))]
        texts += [repr(getattr(chain, name, "")) for name in ("object", "doc")]
        chain = chain.__context__
    assert CANARY not in "".join(texts)


def test_check_lists_every_reference_that_cannot_be_resolved(root):
    refs = [ref("${env:B}"), ref("${env:TOKEN}"), ref("${env:A}"), ref("${file:secrets/nothing#/x}")]
    found = resolver(root).check((each, "acme/books t") for each in refs)
    assert [diagnostic.summary.partition(":")[2][:6] for diagnostic in found] == [
        "A}: th",
        "B}: th",
        "secret",
    ]


def test_a_secret_is_read_anew_at_each_use(root):
    resolve = resolver(root)
    resolve(ref("${file:secrets/token}"))
    (root / "secrets/token").write_text("rotated\n")
    assert resolve(ref("${file:secrets/token}")).reveal() == "rotated"


def test_a_secret_does_not_show_itself(root):
    secret = resolver(root)(ref("${env:TOKEN}"))
    assert f"{secret} {secret!r} {secret:>9}" == "*** *** ***"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_root_that_is_a_link_is_no_way_out(root, tmp_path):
    (tmp_path / "alias").symlink_to(root)
    assert resolver(tmp_path / "alias")(ref("${file:secrets/token}")).reveal() == CANARY


TABLE: Final = f"key,accessToken,other\nacme,{CANARY},\nbravo,{CANARY},x\nbravo,{CANARY},y\n"

ABSENT: Final = [
    "${env:NOT_THERE}",
    "${env:EMPTY}",
    "${file:secrets/nothing}",
    "${file:nowhere/all.json#/a}",
    "${table:secrets/nothing.csv#acme.accessToken}",
    "${vault:secret/acme}",
]
BROKEN: Final = [
    "${env:CODAT_API_KEY}",
    "${env:BYTES}",
    "${file:secrets/empty}",
    "${file:secrets/latin}",
    "${file:../outside}",
    "${file:secrets/all.json#/a/missing}",
    "${file:secrets/all.json#/n}",
    "${file:secrets/broken.json#/token}",
    "${table:secrets/tokens.csv#acme.refreshToken}",
    "${table:secrets/tokens.csv#charlie.accessToken}",
    "${table:secrets/tokens.csv#acme.other}",
    "${table:secrets/tokens.csv#bravo.accessToken}",
]


class TestMadeUp:
    def test_a_secret_that_is_there_is_taken(self, root):
        made_up = MadeUp(resolver(root))
        assert made_up(ref("${env:TOKEN}")).reveal() == CANARY
        assert made_up.made_up == set()

    @pytest.mark.parametrize("text", ABSENT)
    def test_it_stands_in_where_there_is_nothing(self, text, root):
        made_up = MadeUp(resolver(root))
        assert made_up.check([(ref(text), "acme/books")]) == ()
        assert made_up.made_up == set()
        assert made_up(ref(text)).reveal().startswith("made-up-")
        assert made_up.made_up == {text}

    @pytest.mark.parametrize("text", BROKEN)
    def test_what_is_there_and_broken_is_told_as_without_the_sandbox(self, text, root):
        (root / "secrets/tokens.csv").write_text(TABLE)
        made_up, use = MadeUp(resolver(root)), (ref(text), "acme/books")
        assert made_up.check([use]) == resolver(root).check([use]) != ()
        with pytest.raises(SecretError):
            made_up(ref(text))
        assert made_up.made_up == set()

    def test_it_makes_the_same_value_up_for_the_same_reference_only(self, root):
        up, other = MadeUp(resolver(root)), MadeUp(resolver(root))
        assert up(ref("${env:A}")) == other(ref("${env:A}"))
        assert up(ref("${env:A}")) != up(ref("${env:B}"))


FORMS: Final = [
    ("${env:ACME_TOKEN}", Variable("ACME_TOKEN")),
    ("${file:a/b.txt}", SecretFile("a/b.txt")),
    ("${file:a.json#/x/0}", SecretFile("a.json", "/x/0")),
    ("${table:t.csv#a.b.token}", Cell(path="t.csv", key="a.b", column="token")),
    ("${table:t.csv#a#b.token}", Cell(path="t.csv", key="a#b", column="token")),
    ("${vault:kv/acme#field}", Lookup("vault", "kv/acme#field")),
]


@pytest.mark.parametrize(("text", "locator"), FORMS)
def test_a_reference_is_parsed_into_what_it_names_and_written_as_it_was(text, locator):
    assert SecretRef.parse(text) == SecretRef(locator)
    assert str(SecretRef(locator)) == text


FORMLESS: Final = [
    ("${env:1x}", "this is not the name of an environment variable"),
    ("${env:}", "this is not the name of an environment variable"),
    ("${file: }", "this reference names no file"),
    ("${file:a\0b}", "this reference names no file"),
    ("${file:a#}", "what follows '#' is not a JSON pointer"),
    ("${file:a#x}", "what follows '#' is not a JSON pointer"),
    ("${table:t.csv}", "this reference names no cell of a table"),
    ("${table:t.csv#acme}", "this reference names no cell of a table"),
    ("${table:#acme.token}", "this reference names no cell of a table"),
    ("${show:--help}", "this reference names nothing"),
    ("${show:a\0b}", "this reference names nothing"),
]


@pytest.mark.parametrize(("text", "problem"), FORMLESS)
def test_what_is_not_written_as_its_scheme_wants_is_no_reference_and_no_text(text, problem):
    with pytest.raises(LocatorError, match=problem):
        SecretRef.parse(text)


def test_the_page_on_secrets_and_the_advice_name_every_scheme():
    page = (Path(__file__).parents[2] / "docs" / "secrets.md").read_text()
    for scheme in SCHEMES.values():
        assert scheme.form in REFERENCE_ADVICE
    assert [name for name in SCHEMES if f"${{{name}:" not in page] == []
