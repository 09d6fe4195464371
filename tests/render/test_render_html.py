"""The report stands alone, runs nothing but our script, shows values as text, and can be read by everyone."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from render_samples import NOTE, REFUSAL, full_plan, one_of_each, plan_of, some_attention

from reconciler.actions import UpdateCompany
from reconciler.kinds import Change, Kind
from reconciler.plan import AttentionClass, Origin
from reconciler.render import plan_html

HOSTILE = (
    "\x1b[2J\u202e\n</style></title><script>document.title='owned'</script><img src=https://evil.test "
    'onerror=x()>" onmouseover="x() \' autofocus {{ 7*7 }} {% raw %} <!-- --> &lt;b&gt; javascript:x()'
)
VOID = {"meta", "input", "img", "link", "br"}


class Page(HTMLParser):
    """The elements of a page with their attributes, its texts, and whether its tags are in balance."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self._open = [], [], []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *within):
        return "".join(text for tag, text in self.texts if not within or tag in within)

    def shape(self):
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]


@cache
def report(hostile=""):
    text = hostile or "n"
    return Page(plan_html(full_plan(hostile).shown(), notes=[text], refusals=[text]))


def policy(page):
    (found,) = [item["content"] for item in page.of("meta") if "http-equiv" in item]
    return dict(item.strip().split(" ", 1) for item in found.split(";"))


# --- what it says ------------------------------------------------------------------------------


def test_report(golden):
    update = [action for action in one_of_each() if action.kind in {Kind.COMPANY_UPDATE, Kind.COMPANY_DELETE}]
    plan = plan_of(update, some_attention()[:1], unchanged=3, refusals=[REFUSAL]).shown()
    page = plan_html(plan, requests_per_minute=600, notes=[NOTE])
    without_parts = re.sub(r"(<(style|script)>).*?(</\2>)", r"\1...\3", page, flags=re.DOTALL)
    golden("report.html", re.sub(r"sha256-[^']+", "sha256-...", without_parts))


def test_every_company_has_one_card_with_all_that_concerns_it():
    plan = full_plan().shown()
    page = plan_html(plan)
    titles = re.findall(r"<h3 [^>]*>([^<]*)</h3>", page)
    addresses = [part.address for part in (*plan.actions, *plan.attention)]
    assert titles == sorted({address.company for address in addresses})
    assert page.count('class="entry"') == len(addresses)


def test_before_and_after_stand_in_a_table():
    page = plan_html(full_plan().shown())
    assert '<th scope="row">name</th><td class="before">Acme</td><td class="after">Acme Stores</td>' in page
    assert '<td class="after"><span class="none">none</span></td>' in page


def test_a_value_that_says_none_is_not_taken_for_no_value():
    update = next(action for action in one_of_each() if isinstance(action, UpdateCompany))
    says_none = replace(update, changes=(Change(path="name", before="none", after=None),))
    page = plan_html(plan_of([says_none]).shown())
    assert '<td class="before">none</td><td class="after"><span class="none">' in page


def test_what_is_lost_stands_before_the_companies():
    page = plan_html(full_plan().shown())
    assert (
        page.index("What is lost: this plan deletes 1 company")
        < page.index("Blocking:")
        < page.index("Companies</h2>")
    )


def test_what_was_due_already_says_so():
    plan = full_plan().shown()
    assert "due already" not in plan_html(plan)
    due = replace(plan, origins=(Origin.PENDING, *[Origin.CHANGE] * (len(plan.actions) - 1)))
    assert plan_html(due).count('<span class="due">due already</span>') == 1


def test_an_empty_plan_says_so():
    page = Page(plan_html(plan_of(unchanged=3).shown())).text()
    assert "Nothing to do: 3 companies and connections are as specified." in page
    assert "There is nothing to show" in page


def test_the_filter_offers_every_kind_that_occurs_and_only_those():
    page = report()
    boxes = {item["value"] for item in page.of("input") if item["type"] == "checkbox"}
    assert boxes == {element["data-kind"] for _, element in page.elements if "data-kind" in element}
    kinds = {action.kind for action in one_of_each()}
    assert boxes == {*map(str, kinds), *map(str, AttentionClass)}


# --- it stands alone ---------------------------------------------------------------------------


def test_it_loads_nothing():
    page = report(HOSTILE)
    assert not page.of("link") + page.of("img") + page.of("iframe") + page.of("object") + page.of("base")
    for _, attributes in page.elements:
        assert not {"src", "srcset", "style", "action", "background", "ping"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
    style = page.text("style")
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_permits_our_style_and_script_and_nothing_else():
    page = report(HOSTILE)
    assert len(page.of("style")) == len(page.of("script")) == 1
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.text(tag).encode()).digest()).decode()
        assert policy(page)[f"{tag}-src"] == f"'sha256-{digest}'"
    assert {name: value for name, value in policy(page).items() if not name.endswith("-src")} == {
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert policy(page)["default-src"] == "'none'"


def test_its_parts_come_with_the_package():
    templates = files("reconciler.render").joinpath("templates")
    assert {traversable.name for traversable in templates.iterdir()} >= {"plan.html", "plan.css", "plan.js"}


# --- whatever others wrote ---------------------------------------------------------------------


@pytest.mark.promised
@given(
    text=st.text(st.one_of(st.sampled_from("<>\"'&{}%/=! \n\x1b\u202e\ud800"), st.characters()), max_size=80)
)
@example(text=HOSTILE)
@example(text="<!--")
@example(text="]]>")
def test_nothing_that_others_wrote_is_more_than_text(text):
    page = report(text)
    assert page.shape() == report().shape()
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert not {"\x1b", "\u202e", "\ud800"} & set(page.text())


def test_hostile_values_are_shown_as_they_are():
    shown = report(HOSTILE).text("td")
    assert "<script>document.title='owned'</script>" in shown
    assert "{{ 7*7 }}" in shown
    assert "&lt;b&gt;" in shown
    assert r"\x1b[2J\u202e\n" in shown


# --- for everyone ------------------------------------------------------------------------------


def test_it_has_landmarks_headings_and_labels():
    page = report()
    assert {tag for tag, _ in page.elements} >= {
        "header",
        "main",
        "footer",
        "h1",
        "article",
        "fieldset",
        "legend",
    }
    assert page.of("html") == [{"lang": "en"}]
    ids = [element["id"] for _, element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    named = [
        element[name] for _, element in page.elements for name in ("aria-labelledby",) if name in element
    ]
    links = [item["href"].removeprefix("#") for item in page.of("a")]
    assert {*named, *links} <= set(ids)
    assert len(page.of("label")) == len(page.of("input"))


def test_without_a_script_all_is_shown_and_the_filter_is_not():
    page = report()
    assert [attributes for tag, attributes in page.elements if "hidden" in attributes] == page.of("form")


def luminance(colour):
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("surface", ["page", "card", "soft"])
def test_every_colour_of_text_can_be_read(scheme, surface):
    block = re.findall(r":root \{(.*?)\}", report().text("style"), re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for name in ("ink", "muted", "create", "change", "authorize", "sync", "remove", "link"):
        assert contrast(colours[name], colours[surface]) >= 4.5, name
