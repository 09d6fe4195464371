"""Tokens in tables: what a reference finds, what is said of tables that are wrong, and what memory holds."""

import os
import traceback
import tracemalloc

import pytest

from reconciler.diagnostics import Severity, Span
from reconciler.secret_refs import SecretRef, locator_of
from reconciler.secrets import Resolver, SecretCode, SecretError, tables

CANARY = "canary-7b1d"
PLACE = Span("specs/customers.csv", 3, 1)
TOKENS = (
    "id,accessToken,refreshToken,empty\n"
    f"acme,{CANARY},r1,\n"
    "\n"
    f'"a.b#c","{CANARY} ""quoted"", and\na second line",r2,\n'
    f"twice,{CANARY},r3,\n"
    f"twice,{CANARY},r4,\n"
    f"last,{CANARY},r5,"
)


def ref(locator: str) -> SecretRef:
    return SecretRef(locator_of("table", locator), PLACE)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "tokens.csv").write_text(TOKENS, encoding="utf-8")
    return tmp_path


def resolver(root) -> Resolver:
    return Resolver(root, {})


@pytest.mark.parametrize(
    ("locator", "value"),
    [
        ("tokens.csv#acme.accessToken", CANARY),
        ("tokens.csv#acme.refreshToken", "r1"),
        ("tokens.csv#a.b#c.accessToken", f'{CANARY} "quoted", and\na second line'),
        ("tokens.csv#a.b#c.refreshToken", "r2"),
        ("tokens.csv#last.refreshToken", "r5"),
    ],
)
@pytest.mark.parametrize(("newline", "mark"), [("\n", ""), ("\r\n", "\ufeff")])
def test_a_reference_gives_its_cell(root, locator, value, newline, mark):
    (root / "tokens.csv").write_bytes((mark + TOKENS.replace("\n", newline)).encode())
    found = resolver(root)(ref(locator)).reveal()
    assert found == value.replace("\n", newline)


BAD = [
    (TOKENS, "gone.accessToken", SecretCode.MISSING, "tokens.csv has no row for this key"),
    (TOKENS, "acme.empty", SecretCode.MISSING, "tokens.csv:2: the cell is empty"),
    (TOKENS, "twice.accessToken", SecretCode.AMBIGUOUS, "tokens.csv:6: this key stands in more than one row"),
    (TOKENS, "acme.token", SecretCode.MISSING, "there is no column 'token'"),
    ("", "acme.token", SecretCode.UNREADABLE, "line 1: this table has no header"),
    (
        "id,token,token\n",
        "acme.token",
        SecretCode.UNREADABLE,
        "line 1: the header is empty, or has a name twice",
    ),
    (f"id,token\na,{CANARY}\nb,x,y\n", "a.token", SecretCode.UNREADABLE, "line 3: this row has 3 cells"),
    (
        f'id,token\na,"{CANARY}\n',
        "a.token",
        SecretCode.UNREADABLE,
        "line 2: the quotes of this row are not right",
    ),
    (f'id,token\na,"{CANARY}"x\n', "a.token", SecretCode.UNREADABLE, "line 2: the quotes of this row"),
    (
        f'id,token\na,{CANARY}"x"\na,{CANARY}\n',
        "b.token",
        SecretCode.MISSING,
        "tokens.csv has no row for this key",
    ),
    (f"acme,{CANARY}-a,{CANARY}-r\n", "acme.accessToken", SecretCode.MISSING, "no column 'accessToken'"),
    (f"{CANARY}\n", "acme.accessToken", SecretCode.MISSING, "there is no column 'accessToken'"),
    (f"acme;{CANARY}\nb;{CANARY}\n", "acme.token", SecretCode.MISSING, "there is no column 'token'"),
    (
        f"acme,{CANARY},{CANARY}\n",
        "acme.token",
        SecretCode.UNREADABLE,
        "line 1: the header is empty, or has a",
    ),
    (f'"{CANARY}\n', "acme.token", SecretCode.UNREADABLE, "line 1: the quotes of this row are not right"),
    (f"{CANARY},b\nacme\n", "acme.b", SecretCode.UNREADABLE, "line 2: this row has 1 cells"),
    (f"id,token\na,{CANARY}LATIN\n", "a.token", SecretCode.UNREADABLE, "line 2: this line is not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "cell", "code", "problem"), BAD, ids=[row[3] for row in BAD])
def test_what_is_wrong_is_named_and_no_cell_is_repeated(root, text, cell, code, problem):
    (root / "tokens.csv").write_bytes(text.encode().replace(b"LATIN", b"\xe9"))
    with pytest.raises(SecretError) as caught:
        resolver(root)(ref(f"tokens.csv#{cell}"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert problem in diagnostic.summary
    assert diagnostic.fix
    chain, texts = caught.value, []
    while chain is not None:
        texts += [repr(chain), repr(vars(chain)), "".join(traceback.format_exception(chain))]
        chain = chain.__context__
    assert CANARY not in "".join(texts)


def test_check_lists_every_missing_key_and_each_fault_of_a_table_once(root):
    refs = [
        ref(f"tokens.csv#{key}.{column}") for key in ("acme", "x", "y") for column in ("accessToken", "no")
    ]
    refs += [ref("none.csv#a.b"), ref("none.csv#c.d"), ref("../out.csv#a.b")]
    below = "move the file below it"
    at, names = "acme/books t", "the first line must name the columns; it has 4"
    row = "tokens.csv has no row for this key; add the row, or correct the key; the first column has the keys"
    assert [
        str(diagnostic) for diagnostic in resolver(root).check((each, "acme/books t") for each in refs)
    ] == [
        f"{at}: ${{table:../out.csv}}: '../out.csv' leads out of the workspace's root; {below}",
        f"{at} and 1 more: ${{table:none.csv}}: there is no file none.csv; its path counts from {root}",
        f"{at} and 2 more: ${{table:tokens.csv}}: there is no column 'no'; {names}",
        f"specs/customers.csv:3:1: acme/books t: ${{table:tokens.csv#x.accessToken}}: {row}",
        f"specs/customers.csv:3:1: acme/books t: ${{table:tokens.csv#y.accessToken}}: {row}",
    ]


def test_a_token_is_read_anew_at_each_use(root):
    resolve = resolver(root)
    assert resolve(ref("tokens.csv#last.refreshToken")).reveal() == "r5"
    (root / "tokens.csv").write_text("id,refreshToken\nnew,x\nlast,rotated\n")
    assert resolve(ref("tokens.csv#last.refreshToken")).reveal() == "rotated"


def test_a_table_that_changes_while_it_is_read_gives_no_token(root, monkeypatch):
    real = tables._Index.read

    def meanwhile(*arguments):
        cells = real(*arguments)
        (root / "tokens.csv").write_text("id,accessToken\n")
        return cells

    monkeypatch.setattr(tables._Index, "read", meanwhile)
    with pytest.raises(SecretError, match=r"the file tokens\.csv changed while it was read"):
        resolver(root)(ref("tokens.csv#acme.accessToken"))


def test_a_table_that_is_no_file_is_refused(root):
    os.mkfifo(root / "pipe.csv")
    with pytest.raises(SecretError, match=r"pipe\.csv is no regular file"):
        resolver(root)(ref("pipe.csv#a.b"))


def test_memory_holds_keys_and_no_tokens(root):
    rows = 5_000
    with (root / "tokens.csv").open("w") as file:
        file.write("id,token\n")
        file.writelines(f"customer-{n},{'x' * 1_000}\n" for n in range(rows))
    resolve = resolver(root)
    tracemalloc.start()
    try:
        assert (
            resolve.check(
                (ref(f"tokens.csv#customer-{n}.token"), "acme/books t") for n in range(0, rows, 100)
            )
            == ()
        )
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / rows < 250
    assert peak / rows < 400


# --- tables as spreadsheets write them ---------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", "\t", "|"], ids=["semicolon", "tab", "pipe"])
def test_a_token_is_found_whatever_parts_the_cells(root, delimiter):
    lines = ["id,accessToken,note", "acme,a1,x", "bravo,b1,y", ",,"]
    text = "\r\n".join(lines).replace(",", delimiter)
    (root / "tokens.csv").write_bytes(text.encode("utf-8-sig"))
    assert resolver(root)(ref("tokens.csv#bravo.accessToken")).reveal() == "b1"


@pytest.mark.parametrize(
    "cell", ["9.13035E+15", "9,13035E+15", "1,234", "1,234,567.5", "#N/A", "#REF!", '"=""tok"""']
)
def test_an_id_that_a_spreadsheet_took_for_a_number_is_refused(root, cell):
    (root / "tokens.csv").write_text(f"id;realmId\nacme;{cell}\n")
    with pytest.raises(SecretError) as caught:
        resolver(root)(ref("tokens.csv#acme.realmId"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == SecretCode.MANGLED
    assert "tokens.csv:2: a spreadsheet wrote this 'realmId'" in diagnostic.summary
    assert cell not in str(diagnostic)


@pytest.mark.parametrize("cell", ["4620816365", "a1b2", "12e", "1.5", "-1"])
def test_what_only_looks_like_a_number_is_a_token(root, cell):
    (root / "tokens.csv").write_text(f"id;realmId\nacme;{cell}\n")
    assert resolver(root)(ref("tokens.csv#acme.realmId")).reveal() == cell


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["bare", "marked"])
def test_the_line_in_which_excel_says_its_delimiter_is_no_header(root, mark):
    (root / "tokens.csv").write_bytes(mark + b"sep=;\r\nid;accessToken\r\nacme;a1,b\r\n")
    assert resolver(root)(ref("tokens.csv#acme.accessToken")).reveal() == "a1,b"
    (root / "tokens.csv").write_bytes(mark + b"sep=;\r\nid;accessToken\r\nacme;\r\n")
    with pytest.raises(SecretError, match=r"tokens\.csv:3: the cell is empty"):
        resolver(root)(ref("tokens.csv#acme.accessToken"))


def test_a_workbook_that_is_called_a_table_is_named(root):
    (root / "tokens.csv").write_bytes(b"PK\x03\x04\x14\x00\x06")
    with pytest.raises(SecretError, match="this is a workbook, and no table"):
        resolver(root)(ref("tokens.csv#acme.accessToken"))


def test_utf_16_is_recognised_and_named(root):
    (root / "tokens.csv").write_bytes("id,accessToken\nacme,a1\n".encode("utf-16"))
    with pytest.raises(SecretError, match="this table is UTF-16"):
        resolver(root)(ref("tokens.csv#acme.accessToken"))


@pytest.mark.parametrize("cell", ["12e4", "#Na", "a=b"])
def test_what_only_looks_like_a_spreadsheets_work_is_a_secret(root, cell):
    (root / "tokens.csv").write_text(f"id,accessToken\nacme,{cell}\n")
    assert resolver(root)(ref("tokens.csv#acme.accessToken")).reveal() == cell


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\0b", "it holds control characters"),
        ("a\x1b[0m", "it holds control characters"),
        (" \n", "it is empty"),
    ],
)
def test_what_no_secret_can_be_is_refused(root, text, told):
    (root / "t").write_text(text)
    with pytest.raises(SecretError, match=told):
        resolver(root)(SecretRef(locator_of("file", "t"), PLACE))


@pytest.mark.parametrize(
    ("text", "told"),
    [("a\nb", "has a line break in it"), ("a\u200bb", "has characters in it that are not seen")],
)
def test_what_a_secret_hardly_is_is_said_before_anything_is_written(root, text, told):
    (root / "t").write_text(text, encoding="utf-8")
    (warning,) = resolver(root).check([(SecretRef(locator_of("file", "t"), PLACE), "acme/books accessToken")])
    assert (warning.severity, told in warning.summary) == (Severity.WARNING, True)


@pytest.mark.parametrize(
    ("cell", "what"), [(" a1", "white space"), ("a1\u00a0", "white space"), ('"a1\n"', "a line break")]
)
def test_white_space_around_a_token_is_said_with_its_address_before_anything_is_written(root, cell, what):
    (root / "tokens.csv").write_text(f"id,accessToken\nacme,{cell}\n")
    (warning,) = resolver(root).check([(ref("tokens.csv#acme.accessToken"), "acme/books accessToken")])
    assert warning.severity is Severity.WARNING
    assert warning.path == "acme/books accessToken"
    assert f"begins or ends with {what}" in warning.summary
    assert "a1" not in str(warning)
