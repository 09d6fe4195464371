"""Platforms that can be connected, their data types, and the client's profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from reconciler.sandbox import answers, paging
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.settings import change, read
from reconciler.sandbox.store import Session

DATA_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "Accounting": (
        "accountTransactions",
        "balanceSheet",
        "bankAccounts",
        "bankTransactions",
        "billCreditNotes",
        "billPayments",
        "bills",
        "cashFlowStatement",
        "chartOfAccounts",
        "company",
        "creditNotes",
        "customers",
        "directCosts",
        "directIncomes",
        "invoices",
        "itemReceipts",
        "items",
        "journalEntries",
        "journals",
        "paymentMethods",
        "payments",
        "profitAndLoss",
        "purchaseOrders",
        "salesOrders",
        "suppliers",
        "taxRates",
        "trackingCategories",
        "transfers",
    ),
    "Banking": (
        "banking-accountBalances",
        "banking-accounts",
        "banking-transactionCategories",
        "banking-transactions",
    ),
    "BankFeed": (),
    "Unknown": (),
    "Commerce": (
        "commerce-companyInfo",
        "commerce-customers",
        "commerce-disputes",
        "commerce-locations",
        "commerce-orders",
        "commerce-paymentMethods",
        "commerce-payments",
        "commerce-productCategories",
        "commerce-products",
        "commerce-taxComponents",
        "commerce-transactions",
    ),
}
"""What a platform of each source type supports; the sandbox makes no difference within a type."""

ALL_DATA_TYPES: Final = tuple(data_type for types in DATA_TYPES.values() for data_type in types)


@dataclass(frozen=True, slots=True)
class Integration:
    """A platform. ``is_offline``: data waits for a connector on the customer's own machine."""

    key: str
    name: str
    source_type: str
    is_offline: bool = False

    @property
    def data_types(self) -> tuple[str, ...]:
        """What can be fetched from it."""
        return DATA_TYPES[self.source_type]

    @property
    def integration_id(self) -> str:
        """Its id, the same in every sandbox."""
        return str(uuid5(NAMESPACE_URL, f"https://docs.codat.io/integrations/{self.key}"))

    @property
    def source_id(self) -> str:
        """Its source's id, the same in every sandbox."""
        return str(uuid5(NAMESPACE_URL, f"https://docs.codat.io/integrations/{self.key}/source"))


RETIRED: Final = "vjms"
"""The platform that Codat has retired, and that stands on old companies."""
_TABLE: Final = (
    Integration("trji", "Dynamics 365 Business Central", "Accounting"),
    Integration("rqwd", "Dynamics 365 Finance & Operations", "Accounting"),
    Integration("qudb", "Exact (Netherlands)", "Accounting"),
    Integration("pbbf", "Exact (UK)", "Accounting"),
    Integration("fbrh", "FreeAgent", "Accounting"),
    Integration("vxvy", "FreshBooks", "Accounting"),
    Integration("pdvj", "MYOB Business", "Accounting"),
    Integration("akxx", "Oracle NetSuite", "Accounting"),
    Integration("pqsw", "QuickBooks Desktop", "Accounting", is_offline=True),
    Integration("qhyg", "QuickBooks Online", "Accounting"),
    Integration("ndsk", "QuickBooks Online Sandbox", "Accounting"),
    Integration("jcrp", "Sage 200 Standard", "Accounting"),
    Integration("hbql", "Sage 50 (UK)", "Accounting", is_offline=True),
    Integration("tgff", "Sage Accounting", "Accounting"),
    Integration("knfz", "Sage Intacct", "Accounting"),
    Integration("mqjo", "Sandbox", "Accounting"),
    Integration("pbtz", "Wave", "Accounting"),
    Integration("rvam", "Workday", "Accounting"),
    Integration("gbol", "Xero", "Accounting"),
    Integration("rwuv", "Zoho Books", "Accounting"),
    Integration("qkdj", "Amazon Seller Central", "Commerce"),
    Integration("vqzp", "BigCommerce", "Commerce"),
    Integration("fqly", "Clover", "Commerce"),
    Integration("aiwb", "Commerce Sandbox", "Commerce"),
    Integration("ldgh", "Lightspeed K", "Commerce"),
    Integration("lrhd", "Lightspeed K Sandbox", "Commerce"),
    Integration("ltes", "Lightspeed K Trial", "Commerce"),
    Integration("lqai", "Partner Commerce", "Commerce"),
    Integration("fztf", "Shopify", "Commerce"),
    Integration("zsth", "Square", "Commerce"),
    Integration("xcwv", "Square Sandbox", "Commerce"),
    Integration("exgd", "Stripe", "Commerce"),
    Integration("yzth", "Stripe Test", "Commerce"),
    Integration("ltpp", "WooCommerce", "Commerce"),
    Integration("ugxp", "Zettle", "Commerce"),
    Integration("suuo", "Plaid", "Banking"),
    Integration("upvr", "TrueLayer", "Banking"),
    Integration("olpr", "Sage Bank Feeds", "BankFeed"),
    Integration("hcws", "QuickBooks Online Bankfeeds", "BankFeed"),
    Integration(RETIRED, "Pandle", "Accounting"),
)
_INTEGRATIONS: Final[Mapping[str, Integration]] = {integration.key: integration for integration in _TABLE}


def integration_of(key: str) -> Integration:
    """The platform of a connection that is there; one that the table lacks has its key for a name."""
    return _INTEGRATIONS.get(key) or Integration(key, key, "Unknown")


def offered(session: Session) -> Mapping[str, Integration]:
    """What can be connected, by key: a platform that is retired stays on the connections that it has."""
    retired = read(session)["retiredPlatforms"]
    return {key: integration for key, integration in _INTEGRATIONS.items() if key not in retired}


def list_integrations(session: Session, call: Call) -> Answer:
    """``GET /integrations``."""
    page = paging.asked(session, call)
    disabled = read(session)["disabledPlatforms"]
    listed = list(offered(session).values())
    shown = [
        _document(integration, disabled) for integration in listed[page.offset : page.offset + page.size]
    ]
    return paging.listing(call, page, len(listed), shown)


def get_integration(session: Session, call: Call) -> Answer:
    """``GET /integrations/{platformKey}``."""
    key = call.path_ids["platformKey"]
    integration = offered(session).get(key)
    if integration is None:
        raise Problem(404, f"No integration was found with key {key}")
    return Answer(200, _document(integration, read(session)["disabledPlatforms"]))


def _document(integration: Integration, disabled: list[str]) -> dict[str, Any]:
    return {**_constant(integration), "enabled": integration.key not in disabled}


@cache
def _constant(integration: Integration) -> dict[str, Any]:
    """What is always told of a platform: made once, for every plan asks for all of them."""
    return {
        "key": integration.key,
        "logoUrl": f"https://static.codat.io/public/officialLogos/Full/{integration.key}.png",
        "name": integration.name,
        "sourceId": integration.source_id,
        "integrationId": integration.integration_id,
        "sourceType": integration.source_type,
        "isOfflineConnector": integration.is_offline,
        "isBeta": False,
        "dataProvidedBy": integration.name,
        "datatypeFeatures": [
            {
                # The document requires the first spelling and describes the second.
                "datatype": data_type,
                "dataType": data_type,
                "supportedFeatures": [{"featureType": "Get", "featureState": "Release"}],
            }
            for data_type in integration.data_types
        ],
    }


CLIENT_ID: Final = "5a11d0c0-da7a-4c0d-a751-a11d0c5a11d0"
PROFILE_SETTINGS: Final = "profileSyncSettings"
"""Where the profile's sync settings stand among the settings."""
PROFILE: Final = "profile"
"""Where what someone has put into the profile stands among the settings."""
HOURS: Final = 24
MONTHS: Final = 24

FETCHED_ON_FIRST_LINK: Final = frozenset(
    {
        "balanceSheet",
        "bankAccounts",
        "bills",
        "chartOfAccounts",
        "company",
        "customers",
        "invoices",
        "payments",
        "profitAndLoss",
        "suppliers",
        "banking-accountBalances",
        "banking-accounts",
        "banking-transactions",
        "commerce-companyInfo",
        "commerce-customers",
        "commerce-orders",
        "commerce-payments",
        "commerce-transactions",
    }
)
"""What a new client fetches on first link, until it sets otherwise."""
DEFAULT_SETTINGS: Final[tuple[dict[str, Any], ...]] = tuple(
    {
        "dataType": data_type,
        "fetchOnFirstLink": data_type in FETCHED_ON_FIRST_LINK,
        "syncSchedule": HOURS,
        "syncOrder": order,
        "syncFromWindow": MONTHS,
        "isLocked": False,
    }
    for order, data_type in enumerate(ALL_DATA_TYPES)
)
KINDS: Final[dict[str, type]] = {
    "fetchOnFirstLink": bool,
    "syncSchedule": int,
    "syncOrder": int,
    "syncFromWindow": int,
    "syncFromUtc": str,
    "monthsToSync": int,
    "isLocked": bool,
}
REQUIRED: Final = ("fetchOnFirstLink", "syncSchedule", "syncOrder")


PROFILE_KINDS: Final[dict[str, type]] = {
    "name": str,
    "logoUrl": str,
    "iconUrl": str,
    "redirectUrl": str,
    "whiteListUrls": list,
    "apiKey": str,
    "confirmCompanyName": bool,
}
"""The members of the profile; the document requires the name and the redirect URL."""


def get_profile(session: Session, _call: Call) -> Answer:
    """``GET /profile``."""
    return Answer(200, profile(session))


def update_profile(session: Session, call: Call) -> Answer:
    """``PUT /profile``: all of it, so what is left out is no more; the key is not set this way."""
    fields = {name: value for name, value in call.fields().items() if value is not None}
    wrong = {name: "is required" for name in ("name", "redirectUrl") if not fields.get(name)}
    for name, kind in PROFILE_KINDS.items():
        if name in fields and type(fields[name]) is not kind:
            wrong[name] = f"must be a {kind.__name__}"
    urls = fields.get("whiteListUrls", [])
    if "whiteListUrls" not in wrong and not all(isinstance(url, str) and "://" in url for url in urls):
        wrong["whiteListUrls"] = "must be a list of URLs"
    if wrong:
        raise Problem(400, invalid=wrong)
    change(session, {"accountName": fields["name"]})
    kept = {name: fields[name] for name in PROFILE_KINDS if name in fields and name not in ("name", "apiKey")}
    session.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", PROFILE, json.dumps(kept))
    return Answer(200, profile(session))


def profile(session: Session) -> dict[str, Any]:
    """The profile as it is now."""
    text = session.value("SELECT value FROM setting WHERE name = ?", PROFILE)
    own: dict[str, Any] = {
        "logoUrl": "https://static.codat.io/public/sandbox.png",
        "iconUrl": "https://static.codat.io/public/sandbox-icon.png",
        "redirectUrl": "https://example.com/redirect",
        "whiteListUrls": [],
        "confirmCompanyName": False,
    }
    if text is not None:
        own = {"whiteListUrls": [], "confirmCompanyName": False, **json.loads(text)}
    # Codat shows a key here still; who reads it should find something that looks like one.
    return {"name": read(session)["accountName"], **own, "apiKey": "sandbox-profile-api-key"}


def get_profile_sync_settings(session: Session, _call: Call) -> Answer:
    """``GET /profile/syncSettings``."""
    own = _profile_settings(session)
    return Answer(
        200,
        {
            "clientId": CLIENT_ID,
            "settings": list(DEFAULT_SETTINGS) if own is None else own,
            "overridesDefaults": own is not None,
        },
    )


def set_profile_sync_settings(session: Session, call: Call) -> Answer:
    """``POST /profile/syncSettings``: these settings and no others; what is not named is not fetched."""
    if _overrides(call):
        settings = json.dumps(_checked(call))
        session.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", PROFILE_SETTINGS, settings)
    else:
        session.run("DELETE FROM setting WHERE name = ?", PROFILE_SETTINGS)
    return Answer(204)


def get_company_sync_settings(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}/syncSettings``: the company's own, else the profile's."""
    company = answers.company(session, call)
    return Answer(
        200,
        {
            "companyId": company["id"],
            "settings": _effective(session, company["sync_settings"]),
            "overridesDefaults": company["sync_settings"] is not None,
        },
    )


def set_company_sync_settings(session: Session, call: Call) -> Answer:
    """``POST /companies/{companyId}/syncSettings``; ``overridesDefaults: false`` is the profile's again."""
    company = answers.company(session, call)
    own = json.dumps(_checked(call)) if _overrides(call) else None
    session.run("UPDATE company SET sync_settings = ? WHERE id = ?", own, company["id"])
    return Answer(204)


def _overrides(call: Call) -> bool:
    """Whether the settings of the body are to hold.

    Raises:
        Problem: 400, it does not say.
    """
    overrides = call.fields().get("overridesDefaults")
    if not isinstance(overrides, bool):
        raise Problem(400, invalid={"overridesDefaults": "is required, and true or false"})
    return overrides


def fetched_types(session: Session, company_settings: str | None) -> list[str]:
    """The data types that are marked fetch-on-first-link for a company, in the order of their sync."""
    marked = [setting for setting in _effective(session, company_settings) if setting["fetchOnFirstLink"]]
    return [setting["dataType"] for setting in sorted(marked, key=lambda setting: int(setting["syncOrder"]))]


def _effective(session: Session, company_settings: str | None) -> list[dict[str, Any]]:
    if company_settings is not None:
        own: list[dict[str, Any]] = json.loads(company_settings)
        return own
    profile = _profile_settings(session)
    return list(DEFAULT_SETTINGS) if profile is None else profile


def _profile_settings(session: Session) -> list[dict[str, Any]] | None:
    text = session.value("SELECT value FROM setting WHERE name = ?", PROFILE_SETTINGS)
    found: list[dict[str, Any]] | None = None if text is None else json.loads(text)
    return found


def _checked(call: Call) -> list[dict[str, Any]]:
    """The sync settings in the body.

    Raises:
        Problem: 400, naming what is wrong.
    """
    settings = call.fields().get("settings")
    if not isinstance(settings, list) or not all(isinstance(setting, dict) for setting in settings):
        raise Problem(400, invalid={"settings": "must be a list of sync settings"})
    wrong: dict[str, str] = {}
    for index, setting in enumerate(settings):
        wrong |= _wrong_setting(f"settings[{index}]", setting)
    if wrong:
        raise Problem(400, invalid=wrong)
    return [{name: value for name, value in setting.items() if value is not None} for setting in settings]


def _wrong_setting(place: str, setting: dict[str, Any]) -> dict[str, str]:
    wrong = {f"{place}.{name}": "is required" for name in REQUIRED if setting.get(name) is None}
    for name, kind in KINDS.items():
        value = setting.get(name)
        if value is not None and type(value) is not kind:
            wrong[f"{place}.{name}"] = f"must be a {kind.__name__}"
    if setting.get("dataType") not in ALL_DATA_TYPES:
        wrong[f"{place}.dataType"] = "is no data type"
    return wrong
