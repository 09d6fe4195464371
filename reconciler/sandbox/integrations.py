"""Platforms that can be connected (https://docs.codat.io/integrations), a row each, and their data types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from reconciler.sandbox import paging
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.settings import read
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
)
INTEGRATIONS: Final[Mapping[str, Integration]] = {one.key: one for one in _TABLE}


def list_integrations(session: Session, call: Call) -> Answer:
    """``GET /integrations``."""
    page = paging.asked(session, call)
    disabled = read(session)["disabledPlatforms"]
    shown = [_document(one, disabled) for one in _TABLE[page.offset : page.offset + page.size]]
    return paging.listing(call, page, len(_TABLE), shown)


def get_integration(session: Session, call: Call) -> Answer:
    """``GET /integrations/{platformKey}``."""
    key = call.path_ids["platformKey"]
    if key not in INTEGRATIONS:
        raise Problem(404, f"No integration was found with key {key}")
    return Answer(200, _document(INTEGRATIONS[key], read(session)["disabledPlatforms"]))


def _document(integration: Integration, disabled: list[str]) -> dict[str, Any]:
    return {
        "key": integration.key,
        "logoUrl": f"https://static.codat.io/public/officialLogos/Full/{integration.key}.png",
        "name": integration.name,
        "enabled": integration.key not in disabled,
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
