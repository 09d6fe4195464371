from reconciler.render.documents import (
    diagnostics_github,
    diagnostics_json,
    diagnostics_sarif,
    events_writer,
    github_outputs,
    outcome_json,
    plan_json,
    platforms_json,
)
from reconciler.render.explain import codes_json, codes_text, explanation_json, explanation_text
from reconciler.render.handoff import (
    handoff_files,
    handoff_text,
    links_csv,
    links_text,
    retired_json,
    retired_text,
)
from reconciler.render.html import plan_html
from reconciler.render.layout import Style
from reconciler.render.markdown import comment_marker, plan_markdown
from reconciler.render.status import status_json, status_text, verification_json, verification_text
from reconciler.render.summary import errors_markdown, outcome_markdown
from reconciler.render.text import diagnostics_text, names_text, outcome_text, plan_text, platforms_text

__all__ = [
    "Style",
    "codes_json",
    "codes_text",
    "comment_marker",
    "diagnostics_github",
    "diagnostics_json",
    "diagnostics_sarif",
    "diagnostics_text",
    "errors_markdown",
    "events_writer",
    "explanation_json",
    "explanation_text",
    "github_outputs",
    "handoff_files",
    "handoff_text",
    "links_csv",
    "links_text",
    "names_text",
    "outcome_json",
    "outcome_markdown",
    "outcome_text",
    "plan_html",
    "plan_json",
    "plan_markdown",
    "plan_text",
    "platforms_json",
    "platforms_text",
    "retired_json",
    "retired_text",
    "status_json",
    "status_text",
    "verification_json",
    "verification_text",
]
