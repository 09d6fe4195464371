"""The key comes from the environment in the forms that people paste."""

from __future__ import annotations

import pytest

from reconciler.codat import credentials
from reconciler.diagnostics import CodatSyncError

ENCODED = "Basic c2VjcmV0LWtleQ=="


@pytest.mark.parametrize(
    "environ",
    [
        {"CODAT_API_KEY": "secret-key"},
        {"CODAT_API_KEY": "  secret-key\r\n"},
        {"CODAT_API_KEY": ENCODED},
        {"CODAT_API_KEY": f"{ENCODED}\n"},
        {"CODAT_AUTH_HEADER": ENCODED},
        {"CODAT_AUTH_HEADER": " basic  c2VjcmV0LWtleQ==\n"},
        {"CODAT_AUTH_HEADER": ENCODED, "CODAT_API_KEY": "another"},
        {"CODAT_AUTH_HEADER": "", "CODAT_API_KEY": "secret-key"},
    ],
    ids=[
        "key",
        "key with space",
        "header as key",
        "pasted",
        "header",
        "loose header",
        "both",
        "empty header",
    ],
)
def test_the_authorization_header(environ: dict[str, str]) -> None:
    assert credentials(environ).reveal() == ENCODED


@pytest.mark.parametrize(
    "environ",
    [
        {"CODAT_AUTH_HEADER": "Bearer canary"},
        {"CODAT_AUTH_HEADER": "canary"},
        {"CODAT_AUTH_HEADER": "Basic canary\nX-Evil: 1"},
        {"CODAT_API_KEY": "Basic can ary"},
        {"CODAT_API_KEY": "can\nary"},
        {"CODAT_API_KEY": "canäry"},
    ],
)
def test_what_cannot_be_sent_is_refused_without_repeating_it(environ: dict[str, str]) -> None:
    with pytest.raises(CodatSyncError) as caught:
        credentials(environ)

    assert next(iter(environ)) in str(caught.value)
    assert [text for text in ("canary", "ary", "canä") if text in str(caught.value)] == []


@pytest.mark.parametrize("environ", [{}, {"CODAT_API_KEY": "  "}, {"CODAT_AUTH_HEADER": "\n"}])
def test_without_a_key_the_error_names_both_variables_and_the_sandbox(environ: dict[str, str]) -> None:
    with pytest.raises(CodatSyncError) as caught:
        credentials(environ)

    said = str(caught.value)
    assert [text for text in ("CODAT_API_KEY", "CODAT_AUTH_HEADER", "--sandbox") if text not in said] == []
    assert caught.value.exit_code == 1
