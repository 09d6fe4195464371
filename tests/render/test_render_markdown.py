"""A comment shows what a merge destroys first, always fits, and holds nothing of others but text."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from render_samples import COMPANY, NOTE, REFUSAL, full_plan, one_of_each, plan_of, some_attention

from reconciler.actions import CreateCompany, DeleteCompany, UnlinkConnection, UpdateCompany, in_order
from reconciler.fields import by_path
from reconciler.kinds import Change
from reconciler.live import LiveCompany
from reconciler.model import Address
from reconciler.plan import Attention, AttentionCode, Origin
from reconciler.render import comment_marker, plan_markdown
from reconciler.render.escaping import MESSAGE_LIMIT, for_terminal
from reconciler.render.markdown import HARD_LIMIT, LIMIT, code, prose

HOSTILE = (
    "` `` ```\n```\n~~~\n</details></summary><script>alert(1)</script><!-- --> --> @octocat @org/team "
    "#12 GH-1 !3 ![x](https://evil.example/x.png) [y](javascript:1) <https://evil.example> "
    "https://evil.example www.evil.example mail@evil.example | a | b |\n|---|---|\n# h\n> q\n- l\n/close\n"
    ":smile: $x$ ${env:A} &amp; &#64;you \\@me \x1b[2J\u202e"
)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = re.compile(
    r"<!-- codat-sync workspace=\S* specs=\S* -->\n?|<details>\n<summary>[\w ,;:()]+</summary>\n?"
    r"|</details>\n?"
)
"""All the HTML that a comment may hold."""
SEEN_BY_FILTERS = re.compile(r"@[\w\"'-]|[#!%&~^][\w\"']|\$\d|://|:\w+:|\bwww\.|\bGH-\d|\w>", re.IGNORECASE)
"""What GitHub or GitLab would make a mention, a reference, an image or a link of."""
SIGNS = ("+ ", "- ", "~ ", "> ", "* ", "@@", "# ")

hostile = st.text(
    st.one_of(st.sampled_from("`~<>@#!|[]()\\-_*:/&$%^{}\n wW.gG1\x1b\u202e\ud800"), st.characters()),
    max_size=120,
)


def tokens(page):
    """Every token of a page, those within lines too."""
    for token in PARSER.parse(page):
        yield token
        yield from token.children or ()


def shape(page):
    return [token.type for token in tokens(page) if not token.type.startswith("text")]


def finished(inline):
    """The text of a paragraph as the sites' filters get it, code spans and our own alerts left out."""
    text = "".join(child.content if child.type.startswith("text") else "\n" for child in inline.children)
    return re.sub(r"^\[!(IMPORTANT|CAUTION)\]$", "", text, flags=re.MULTILINE)


def fences(page):
    return [token for token in tokens(page) if token.type == "fence"]


def numbered(count, *, losses=0, changes=0, attention=0):
    companies = [f"company-{number:05}" for number in range(count)]
    live = LiveCompany(id=COMPANY, name="Old")
    actions = [
        DeleteCompany(
            address=Address(text),
            reason="in no spec any more, and --prune",
            company_id=COMPANY,
            name=f"Name of {text}",
            pruned=True,
            observed=live,
        )
        if number < losses
        else UpdateCompany(
            address=Address(text),
            reason="managed fields differ",
            company_id=COMPANY,
            changes=(Change(path="name", before="Old", after="New"),),
            observed=live,
        )
        if number < losses + changes
        else CreateCompany(
            address=Address(text), reason="not in Codat", fields=by_path({"name": f"Name of {text}"}, {})
        )
        for number, text in enumerate(companies)
    ]
    codes = (AttentionCode.EXISTS, AttentionCode.RELINK, AttentionCode.ORPHAN)
    matters = [
        Attention(code=codes[n % 3], address=Address(f"a{n:05}"), message=f"say what to do about {n}, " * 7)
        for n in range(attention)
    ]
    return plan_of(in_order(actions), matters, unchanged=7).shown()


def deleted(page):
    return {
        line.split()[1] for fence in fences(page) for line in fence.content.splitlines() if line[:2] == "- "
    }


# --- what it says ------------------------------------------------------------------------------


def with_origins():
    plan = full_plan().shown()
    due = (
        Origin.PENDING if position in (2, 6, 10) else Origin.CHANGE for position in range(len(plan.actions))
    )
    return replace(plan, origins=tuple(due))


COMMENTS = {
    "comment-nothing": plan_of(unchanged=12).shown(),
    "comment-everything": full_plan().shown(),
    "comment-origins": with_origins(),
    "comment-hostile": full_plan(HOSTILE).shown(),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_comment(name, golden):
    notes = [NOTE] if name != "comment-nothing" else []
    golden(f"{name}.md", plan_markdown(COMMENTS[name], requests_per_minute=600, notes=notes))


def test_counts_stand_before_losses_and_losses_before_all_else():
    page = plan_markdown(full_plan().shown())
    order = (
        "**Plan: 3 to create",
        "[!IMPORTANT]",
        "[!CAUTION]",
        "- charlie",
        "**Blocking",
        "**Actions**",
        "Digest",
    )
    found = [page.index(text) for text in order]
    assert found == sorted(found)


def test_the_sign_of_each_action_is_in_column_one():
    lines = [
        line for fence in fences(plan_markdown(full_plan().shown())) for line in fence.content.splitlines()
    ]
    assert all(line.startswith(SIGNS) for line in lines)
    assert [line[0] for line in lines if re.match(r". \S+ {2}", line)] == [*"-----", *"+++>*~~~~+*"]


def test_losses_stand_on_top_although_they_were_due_already():
    plan = full_plan().shown()
    page = plan_markdown(replace(plan, origins=(Origin.PENDING,) * len(plan.actions)))
    assert deleted(page[: page.index("<details>")]) == {
        "bravo",
        "charlie",
        "delta/bank",
        "delta/feed",
        "delta/plaid:2e9d2c44",
    }
    assert "Due already, whatever this change does: 16 actions." in page


def test_what_was_due_already_is_folded_apart():
    page = plan_markdown(with_origins())
    fold = page.split("<summary>2 actions were due already, whatever this change does</summary>")[1]
    fold = fold.split("</details>")[0]
    assert "+ acme/books  create connection on xero (not in Codat)" in fold
    assert '+ name: "Acme Stores"' in fold
    assert "+ acme  create company" not in fold


def test_a_plan_without_losses_warns_of_nothing():
    assert "[!CAUTION]" not in plan_markdown(plan_of(one_of_each()[:3]).shown())


def test_a_refusal_says_what_permits_the_plan():
    shown = plan_markdown(full_plan().shown())
    assert REFUSAL in shown


def test_the_digest_is_the_last_line():
    plan = full_plan().shown()
    assert plan.document()["digest"] in plan_markdown(plan).splitlines()[-1]


# --- the marker --------------------------------------------------------------------------------


def test_the_first_line_finds_the_comment_again():
    first = plan_markdown(full_plan().shown(), specs="deploy/specs").splitlines()[0]
    assert (
        first
        == comment_marker("prod", "deploy/specs")
        == "<!-- codat-sync workspace=prod specs=deploy/specs -->"
    )


@given(text=hostile, other=hostile)
@example(text="-->", other="--!>")
@example(text="a" * 5000, other="a" * 5001)
def test_a_marker_is_one_comment_and_tells_two_names_apart(text, other):
    marker = comment_marker(text, other)
    assert re.fullmatch(r"<!-- codat-sync workspace=\S* specs=\S* -->", marker)
    assert "--" not in marker.removeprefix("<!--").removesuffix("-->")
    assert marker.isascii()
    assert len(marker) < 500
    assert (comment_marker(text) == comment_marker(other)) == (text == other)


def test_a_name_in_the_marker_can_be_read():
    assert "Zoë & co" in unquote(comment_marker("Zoë & co"))


# --- whatever others wrote ---------------------------------------------------------------------


def check_is_inert(text):
    honest, page = (
        plan_markdown(
            full_plan(word).shown(),
            notes=[word or "n"],
            refusals=[word or "n"],
            specs=word,
            limit_bytes=10**6,
        )
        for word in ("", text)
    )
    assert shape(page) == shape(honest)
    for token in tokens(page):
        assert token.type not in {"html_inline", "link_open", "image"}
        if token.type == "html_block":
            assert OURS.fullmatch(token.content)
        elif token.type == "fence":
            assert token.info == "diff"
            assert all(line.startswith(SIGNS) for line in token.content.splitlines())
        elif token.type == "inline":
            assert not SEEN_BY_FILTERS.search(finished(token))
    assert not {"\x1b", "\u202e", "\r"} & set(page)


@given(text=hostile)
@example(text=HOSTILE)
def test_nothing_that_others_wrote_is_more_than_text(text):
    check_is_inert(text)


@pytest.mark.parametrize("text", HOSTILE.split(" "))
def test_each_trick_is_only_text(text):
    check_is_inert(text)
    check_is_inert(f" {text} ")


@given(text=hostile)
def test_prose_reads_as_it_was_written(text):
    (paragraph,) = [token for token in PARSER.parse(f"x {prose(text)} x") if token.type == "inline"]
    read = "".join(child.content for child in paragraph.children).replace("\u200b", "")
    assert read == f"x {for_terminal(text, MESSAGE_LIMIT)} x"


@given(text=hostile.filter(lambda word: word.strip()))
def test_a_code_span_holds_the_value_and_nothing_else(text):
    (paragraph,) = [token for token in PARSER.parse(f"x {code(text)} x") if token.type == "inline"]
    assert [child.type for child in paragraph.children] == ["text", "code_inline", "text"]


# --- always fits -------------------------------------------------------------------------------


def test_five_thousand_actions_fit_with_every_deletion():
    page = plan_markdown(numbered(5000, losses=400, changes=600, attention=900), requests_per_minute=600)
    assert len(page.encode()) <= LIMIT
    assert deleted(page) == {f"company-{number:05}" for number in range(400)}
    assert (
        "4,000 to create, 600 to change, 400 to remove; 900 need attention (300 blocking); 7 unchanged"
        in page
    )


def test_what_is_left_out_is_counted_and_can_be_seen_elsewhere():
    page = plan_markdown(numbered(5000, losses=400, changes=600))
    shown = sum(
        bool(re.match(r"[+~] company-\d+ {2}", line))
        for fence in fences(page)
        for line in fence.content.splitlines()
    )
    assert f"{4600 - shown:,} actions" in page
    assert "600 lists of field changes" in page
    assert "codat-sync show PLAN" in page
    assert page.splitlines()[-1].startswith("Digest `sha256:")


@pytest.mark.parametrize(
    ("losses", "form"), [(150, "Name of company-00001"), (700, "delete company"), (2000, "delete")]
)
def test_more_deletions_get_shorter_lines(losses, form):
    page = plan_markdown(numbered(losses, losses=losses))
    assert len(deleted(page)) == losses
    assert "- company-00001" in page
    assert re.search(rf"^- company-00001 .*{form}", page, re.MULTILINE)
    assert len(page.encode()) <= HARD_LIMIT


def test_deletions_that_no_comment_can_hold_are_counted():
    page = plan_markdown(numbered(5000, losses=5000))
    assert HARD_LIMIT - 1000 < len(page.encode()) <= HARD_LIMIT
    assert f"# {5000 - len(deleted(page)):,} more are not shown" in page
    assert f"{5000 - len(deleted(page)):,} deletions and unlinks" in page
    assert "This plan deletes 5,000 companies" in page


def test_blocking_attention_is_kept_before_the_rest():
    page = plan_markdown(numbered(3000, attention=120), limit_bytes=12_000)
    assert sum(line.startswith("- `a") for line in page.splitlines()) == 40
    assert "<summary>" not in page


def test_an_unlink_counts_as_a_loss_in_every_form():
    actions = [
        UnlinkConnection(
            address=Address(f"c{n:05}", "b"),
            reason="unlinked",
            company_id="i",
            connection_id="j",
            platform="Plaid",
        )
        for n in range(2000)
    ]
    page = plan_markdown(plan_of(actions).shown())
    assert "- c00001/b unlink" in page
    assert len(deleted(page)) == 2000


@settings(deadline=None, max_examples=15)
@given(text=st.text(st.characters(), min_size=100, max_size=3000), limit=st.integers(0, 60_000))
@example(text="\U0001f370" * 3000, limit=0)
@example(text="<" * 3000, limit=50_000)
def test_a_comment_never_exceeds_what_github_keeps(text, limit):
    plan = full_plan(text).shown()
    plan = replace(plan, actions=plan.actions * 30, attention=plan.attention * 10)
    page = plan_markdown(plan, limit_bytes=limit, notes=[text] * 20, refusals=[text] * 20, specs=text)
    assert len(page.encode()) <= HARD_LIMIT
    assert page.splitlines()[-1].startswith("Digest `sha256:")
    assert all(fence.info == "diff" for fence in fences(page))


@cache
def long_plan():
    """A plan that no comment holds, and the lines of a page that would."""
    plan = numbered(800, losses=20, changes=300, attention=90)
    return plan, set(plan_markdown(plan, limit_bytes=10**6).splitlines())


@given(limit=st.integers(6_000, 60_000))
@settings(deadline=None, max_examples=15)
def test_a_comment_is_cut_by_whole_lines(limit):
    plan, whole = long_plan()
    page = plan_markdown(plan, limit_bytes=limit)
    new = [splitline for splitline in page.splitlines() if splitline not in whole]
    assert len(page.encode()) <= limit
    assert all("not shown" in text.lower() for text in new)
    assert page.count("<details>") == page.count("</details>")


def test_the_same_plan_gives_the_same_bytes():
    first, second = (plan_of(one_of_each(), some_attention()).shown() for _ in range(2))
    assert plan_markdown(first) == plan_markdown(second)
