"""The page about migrations and the command that lists platforms say the same of each."""

import re
from pathlib import Path

from reconciler.loading import BUILTIN_PLATFORMS
from reconciler.migration import WAYS

PAGE = Path(__file__).parents[2] / "docs" / "migrating-tokens.md"


def test_the_page_has_the_row_of_every_platform_whose_way_is_known() -> None:
    names = {platform.key: platform.name for platform in BUILTIN_PLATFORMS}
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \| (\d{4}-\d\d-\d\d) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [(names[way.key], ", ".join(way.migrations), way.source, way.checked) for way in WAYS]
