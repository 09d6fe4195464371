"""Schemas of authorizations that come with codat-sync: few, and a workspace's own comes first."""

from pathlib import Path

import pytest

from reconciler.model import Platform, SourceType
from reconciler.spec import BUILTIN_PLATFORMS, Code
from reconciler.spec.authorization_schema import PUBLISHED

PLATFORMS = (*BUILTIN_PLATFORMS, Platform("abcd", "Sage Bank Feeds", SourceType.BANK_FEED))


def test_every_published_schema_has_its_file_and_no_other_is_there():
    directory = Path(__file__).parents[2] / "schemas/platforms"
    assert {path.name for path in directory.iterdir()} == {f"{name}.json" for name in PUBLISHED}


def test_an_authorization_that_fits_is_taken(project):
    project.connection('platform: sage-bank-feeds\nauthorization: {authorizationId: "${env:A}"}')
    assert project.load(platforms=PLATFORMS).warnings == ()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            '{accessToken: "${env:A}", authorizationId: "${env:A}"}',
            "it has fields that are none of authorizationId, bankId",
        ),
        ('{authId: "${env:A}"}', "it lacks authorizationId"),
    ],
)
def test_one_that_does_not_is_refused(project, written, sentence):
    project.connection(f"platform: sage-bank-feeds\nauthorization: {written}")
    found = project.errors(platforms=PLATFORMS)
    assert {one.code for one in found} == {Code.AUTHORIZATION_SCHEMA}
    assert found[0].summary == "does not fit the schema that Codat's docs give for Sage Bank Feeds"
    assert sentence in [one.fix for one in found]


def test_a_workspace_s_own_schema_comes_first(project):
    project.put("specs/own.json", '{"required": ["token"]}')
    own = "version: 1\nworkspace: prod\nplatforms: {sage-bank-feeds: {schema: own.json}}\n"
    project.put("specs/workspace.yaml", own)
    project.connection('platform: sage-bank-feeds\nauthorization: {token: "${env:A}"}')
    assert project.load(platforms=PLATFORMS).warnings == ()


def test_other_platforms_take_any_map_of_text(project):
    project.connection('platform: xero\nauthorization: {anything: "${env:A}"}')
    assert project.load().warnings == ()
