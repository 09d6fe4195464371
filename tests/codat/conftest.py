"""The Platform API's OpenAPI document, which lies beside the checkout where it is there at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[3] / "shared" / "codat" / "Codat-Platform.openapi.json"


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    if not DOCUMENT.exists():
        pytest.skip("the OpenAPI document is not beside the checkout, as shared/codat/")
    return json.loads(DOCUMENT.read_text())
