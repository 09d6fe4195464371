"""Ten thousand companies cost about what libyaml's own loading of the same text costs."""

from time import process_time

import pytest
import yaml

from reconciler.loading import schema

COMPANIES = 2_000
COMPANY = """\
  company-{n}:
    name: Company {n}
    tags: {{region: uk, uid: cust_{n}}}
    connections:
      books:
        platform: quickbooks-online
        migration: self-service
        authorization:
          accessToken: ${{env:C{n}_ACCESS}}
          refreshToken: ${{file:secrets/{n}.json#/refresh}}
          realmId: "46208{n}"
        issuedAt: "2026-11-20T09:00:00Z"
        sync: {{maxAge: 30d}}
"""


def seconds(work) -> float:
    """The least processor time of three goes, which other work on the machine disturbs least."""

    def once() -> float:
        start = process_time()
        work()
        return process_time() - start

    return min(once() for _ in range(3))


@pytest.mark.slow
def test_loading_is_of_the_order_of_libyaml_s_own_loading(project):
    text = "version: 1\ncompanies:\n" + "".join(COMPANY.format(n=n) for n in range(COMPANIES))
    project.put("specs/a.yaml", text)
    assert len(project.load().desired.companies) == COMPANIES
    assert seconds(project.load) < 3 * seconds(lambda: yaml.load(text, yaml.CSafeLoader))


def test_jsonschema_only_sees_the_companies_that_are_wrong(project, monkeypatch):
    text = "version: 1\ncompanies:\n" + "".join(COMPANY.format(n=n) for n in range(50))
    project.put("specs/a.yaml", text + "  bad: {name: 5}\n")
    seen = []
    validator = type(schema.named("spec").validator)
    whole = validator.iter_errors
    monkeypatch.setattr(
        validator, "iter_errors", lambda self, instance: seen.append(instance) or whole(self, instance)
    )
    assert [error.path for error in project.errors()] == ["companies.bad.name"]
    assert list(seen[0]["companies"]) == ["bad"]
