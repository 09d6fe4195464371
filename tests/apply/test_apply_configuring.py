"""Products and sync settings may be sent twice, and what others have set is not lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
import virtual_time
from apply_codat import PROFILE_SETTINGS, Fault
from apply_scenes import COMPANY, Scene, create_company, ends, live_company

from reconciler.actions import AddProduct, RemoveProduct, SetSyncSettings
from reconciler.codat.errors import HeldUpError, NoAnswerError, RejectedError, ServerFaultError
from reconciler.kinds import Change
from reconciler.live import LiveSyncSettings
from reconciler.model import Address

ACME = Address("acme")
ADD = AddProduct(address=ACME, reason="why", company_id=COMPANY, product="lending")
REMOVE = RemoveProduct(address=ACME, reason="why", company_id=COMPANY, product="payables")
SCHEDULE = Change(path="syncSettings.invoices.syncSchedule", before="24", after="12")
SET = SetSyncSettings(
    address=ACME,
    reason="why",
    company_id=COMPANY,
    changes=(SCHEDULE,),
    settings={"invoices": {"syncSchedule": 12}},
)
BACK = SetSyncSettings(
    address=ACME,
    reason="why",
    company_id=COMPANY,
    changes=(Change(path="syncSettings.overridesDefaults", before="true", after="false"),),
    settings=None,
)
OWN = replace(PROFILE_SETTINGS, are_own=True)
SLOW = OWN.as_wanted({"invoices": {"syncSchedule": 12}})
FAULTS = (
    pytest.param(NoAnswerError("no answer"), id="no answer"),
    pytest.param(ServerFaultError("500: Codat fails", status=500), id="500"),
    pytest.param(HeldUpError("Codat asks for a pause (429)", status=429), id="429"),
)


def scene(products=("payables",), settings=None):
    each_scene = Scene()
    each_scene.codat.add(replace(live_company(), products=products))
    if settings:
        each_scene.codat.settings[COMPANY] = settings
    return each_scene


def products(one):
    return one.company.products


def settings(one):
    return one.codat.settings.get(COMPANY)


@pytest.mark.parametrize(
    ("action", "has", "end", "left"),
    [
        pytest.param(ADD, (), "done", ("lending",), id="add"),
        pytest.param(ADD, ("lending",), "done", ("lending",), id="added already"),
        pytest.param(REMOVE, ("lending", "payables"), "done", ("lending",), id="remove"),
        pytest.param(REMOVE, ("lending",), "done", ("lending",), id="removed already"),
    ],
)
def test_products(action, has, end, left):
    async def play():
        one = scene(has)
        assert ends(await one.apply([action])) == [end]
        assert products(one) == left

    virtual_time.run(play())


@pytest.mark.parametrize("error", FAULTS)
@pytest.mark.parametrize("after", [False, True], ids=["before effect", "after effect"])
@pytest.mark.parametrize(
    ("action", "method"),
    [(ADD, "add_product"), (REMOVE, "remove_product"), (SET, "set_sync_settings")],
    ids=["add", "remove", "settings"],
)
def test_a_fault_leads_to_the_same_end(action, method, after, error):
    async def play():
        one = scene()
        one.codat.faults.append(Fault(method, error, after=after))
        assert ends(await one.apply([action])) == ["done"]
        peaceful = scene()
        await peaceful.apply([action])
        assert (products(one), settings(one)) == (products(peaceful), settings(peaceful))

    virtual_time.run(play())


@pytest.mark.parametrize(
    ("action", "has", "end", "left"),
    [
        pytest.param(SET, None, "done", SLOW, id="the profile's"),
        pytest.param(SET, OWN, "done", SLOW, id="own"),
        pytest.param(SET, SLOW, "already", SLOW, id="set already"),
        pytest.param(BACK, SLOW, "done", None, id="given back"),
        pytest.param(BACK, None, "already", None, id="given back already"),
    ],
)
def test_sync_settings(action, has, end, left):
    async def play():
        one = scene(settings=has)
        assert ends(await one.apply([action])) == [end]
        assert settings(one) == left

    virtual_time.run(play())


def test_what_others_have_set_of_other_fields_is_kept():
    async def play():
        theirs = OWN.as_wanted({"bills": {"syncSchedule": 1}, "invoices": {"syncOrder": 7}})
        one = scene(settings=theirs)
        assert ends(await one.apply([SET])) == ["done"]
        assert settings(one) == theirs.as_wanted({"invoices": {"syncSchedule": 12}})

    virtual_time.run(play())


def test_what_others_have_set_of_the_same_field_is_not_overwritten():
    async def play():
        theirs = OWN.as_wanted({"invoices": {"syncSchedule": 1}})
        one = scene(settings=theirs)
        outcome = await one.apply([SET])
        assert ends(outcome) == ["failed changed-since-plan"]
        assert "syncSettings.invoices.syncSchedule has become '1'" in outcome.results[0].failure.message
        assert settings(one) == theirs

    virtual_time.run(play())


def test_a_new_companys_settings_are_set_whatever_the_profile_has():
    async def play():
        scene = Scene()
        first = replace(SET, company_id=None, changes=(replace(SCHEDULE, before=None),))
        outcome = await scene.apply([create_company(), replace(ADD, company_id=None), first])
        assert ends(outcome) == ["done", "done", "done"]
        assert products(scene) == ("lending",)
        assert scene.codat.settings[scene.company.id] == SLOW

    virtual_time.run(play())


def test_settings_that_codat_takes_and_does_not_keep_are_a_failure():
    async def play():
        one = scene()
        one.codat.locks_settings = True
        outcome = await one.apply([SET])
        assert ends(outcome) == ["failed answer-differs"]
        assert "is '24' where '12' was asked for" in outcome.results[0].failure.message

    virtual_time.run(play())


def test_a_company_that_has_gone_is_a_failure():
    async def play():
        scene = Scene()
        assert ends(await scene.apply([SET])) == ["failed changed-since-plan"]

    virtual_time.run(play())


def test_what_codat_refuses_stops_the_company_before_its_connections():
    async def play():
        one = scene()
        one.codat.faults.append(Fault("set_sync_settings", RejectedError("400: no", status=400)))
        assert ends(await one.apply([SET])) == ["failed rejected"]
        assert settings(one) is None

    virtual_time.run(play())


def test_settings_are_not_shared_between_companies():
    assert LiveSyncSettings({}, are_own=False).as_wanted({"bills": {"syncOrder": 1}}) == LiveSyncSettings(
        {"bills": {"syncOrder": 1}}, are_own=True
    )
