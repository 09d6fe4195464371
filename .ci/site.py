"""Hooks of mkdocs: the pages at the top of the repository become pages of the site, the README its first."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "SECURITY.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
}
"""Files at the top of the repository, and where the site has them."""
AT_THE_TOP = re.compile(r"\]\((?:\.\./)+([\w.-]+\.md)(#[^)]*)?\)")
ELSEWHERE = re.compile(
    r"\[([^\]]+)\]\((?:\.\./)*"
    r"((?:specs|schemas|reconciler|tests|changelog\.d|\.ci|\.github)/[^)]*|LICENSE|[\w.]+\.(?:lock|yml|py))\)"
)
"""Links to what is no page: shown as the name of the file in the repository."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the top of the repository."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        text = text.replace("](docs/", "](").replace("](README.md", "](index.md")
        files.append(File.generated(config, page, content=_without_elsewhere(text)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Let links that lead out of ``docs/`` lead to the same page of the site."""

    def within(link: re.Match[str]) -> str:
        depth = page.file.src_uri.count("/")
        return f"]({'../' * depth}{PAGES.get(link[1], link[1])}{link[2] or ''})"

    return _without_elsewhere(AT_THE_TOP.sub(within, markdown))


def _without_elsewhere(text: str) -> str:
    return ELSEWHERE.sub(_named, text)


def _named(link: re.Match[str]) -> str:
    text, path = link.groups()
    return text if path.rstrip("/") in text else f"{text} (`{path}`)"
