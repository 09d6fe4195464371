"""Plans and outcomes to render: one of everything, and one whose every text is hostile."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.actions import (
    Action,
    AddProduct,
    AdoptCompany,
    AuthorizeConnection,
    Change,
    CreateCompany,
    CreateConnection,
    CreateSourceAccount,
    CreateWebhook,
    DeleteCompany,
    DeleteConnection,
    DeleteSourceAccount,
    DeleteWebhook,
    Kind,
    RemoveProduct,
    SetProfileSyncSettings,
    SetSyncSettings,
    SyncCompany,
    SyncTarget,
    UnlinkConnection,
    UpdateCompany,
    UpdateProfile,
    UpdateSourceAccount,
    digest,
    in_order,
)
from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.fields import by_path
from reconciler.live import LiveCompany, LiveConnection, LiveSourceAccount, LiveWebhook, Status
from reconciler.model import ACCOUNT, Address, DesiredSourceAccount, Secret, SecretRef
from reconciler.outcome import ActionOutcome, Failure, Outcome, Result
from reconciler.plan import Attention, AttentionCode, Basis, Plan, Refusal

COMPANY = "8a210b68-6988-11ed-a1eb-0242ac120002"
CONNECTION = "2e9d2c44-a675-40ba-8049-353bfcb5e171"
SECRET_TEXT = "must-never-be-shown"
REFUSAL = "the plan would prune 2, and guard.maxDeletes permits 0; if that is meant, pass --allow-deletes 2"
NOTE = "preconditions count as done against the sandbox; the real API will ask"

DIAGNOSTICS = (
    Diagnostic("no-specs", "specs holds no spec file", "write one, or name another directory"),
    Diagnostic(
        "unknown-platform",
        "no platform is called 'quickboks-online'",
        "did you mean 'quickbooks-online'?",
        Span("specs/acme.yaml", 14, 17),
        "companies.acme.connections.books.platform",
        detail="the list has 38 platforms",
    ),
    Diagnostic(
        "unused-column",
        "no company uses the column 'fax'",
        "",
        Span("specs/customers.csv", 1, 9),
        "companySets.customers",
        Severity.WARNING,
    ),
)


def lost_connections(hostile: str = "") -> tuple[LiveConnection, ...]:
    """Connections of a company that is deleted."""
    return (
        LiveConnection(CONNECTION, "gbol", f"Xero{hostile}", Status.LINKED),
        LiveConnection(COMPANY, "suuo", f"Plaid{hostile}", Status.DEAUTHORIZED),
    )


def of_the_account(hostile: str = "") -> tuple[Action, ...]:
    """One action of each kind that is about the account itself."""
    account, profile = Address(ACCOUNT, "webhook.reads"), Address(ACCOUNT, "profile")
    consumer = LiveWebhook(CONNECTION, Secret(f"https://hooks.example/{SECRET_TEXT}"), (f"read{hostile}",))
    return in_order(
        (
            CreateWebhook(
                account,
                "not in Codat",
                SecretRef("env", f"WEBHOOK{hostile}"),
                (f"read.completed{hostile}",),
                (f"region:uk{hostile}",),
                disabled=True,
            ),
            DeleteWebhook(Address(ACCOUNT, "webhook:2e9d2c44"), "absent, by the spec", CONNECTION, consumer),
            UpdateProfile(
                profile,
                "the profile differs",
                (Change("redirectUrl", f"https://old.example{hostile}", f"https://new.example{hostile}"),),
                {"redirectUrl": f"https://new.example{hostile}"},
            ),
            SetProfileSyncSettings(
                profile,
                "sync settings differ",
                (Change("syncSettings.invoices.syncFromWindow", "24", "12"),),
                {"invoices": {"syncFromWindow": 12}},
            ),
        )
    )


def one_of_each(hostile: str = "") -> tuple[Action, ...]:
    """One action of each kind that is about companies; ``hostile`` is put into every text of others."""
    live = LiveCompany(COMPANY, "Old")
    acme, books = Address("acme"), Address("acme", f"books{hostile}")
    bravo, delta, feed = Address(f"bravo{hostile}"), Address("delta"), Address("delta", f"feed{hostile}")
    token = {"accessToken": SecretRef("env", SECRET_TEXT), f"realmId{hostile}": SECRET_TEXT}
    texts = {"name": f"Acme Stores{hostile}", "description": f"Moved{hostile}"}
    sent = by_path(texts, {f"region{hostile}": "uk"})
    return in_order(
        (
            CreateCompany(acme, "not in Codat", sent),
            CreateConnection(books, "not in Codat", None, f"xero{hostile}", "gbol"),
            AuthorizeConnection(
                books, "created by this plan", None, None, f"xero{hostile}", "gbol", None, token
            ),
            SyncCompany(acme, "authorized by this plan", None, (SyncTarget(books, None, ("invoices",)),)),
            AdoptCompany(
                Address("alder"),
                "named by id, not managed yet",
                COMPANY,
                (Change("tags.codatSyncKey", None, "alder"), Change("tags.codatSyncWorkspace", None, "prod")),
                live,
            ),
            UpdateCompany(
                bravo,
                "managed fields differ",
                COMPANY,
                (
                    Change("description", f"Old words{hostile}", None),
                    Change("name", f"Acme{hostile}", "Acme Stores"),
                    Change(f"tags.region{hostile}", "uk", f"eu{hostile}"),
                ),
                live,
            ),
            AddProduct(acme, "in the spec's products", None, f"lending{hostile}"),
            RemoveProduct(bravo, "not in the spec's products", COMPANY, f"payables{hostile}"),
            SetSyncSettings(
                bravo,
                "sync settings differ",
                COMPANY,
                (Change(f"syncSettings.invoices{hostile}.syncSchedule", f"24{hostile}", "12"),),
                {"invoices": {"syncSchedule": 12}},
            ),
            DeleteCompany(
                Address("charlie"),
                "in no spec any more, and --prune",
                COMPANY,
                f"Charlie{hostile}",
                True,
                LiveCompany(COMPANY, f"Charlie{hostile}", connections=lost_connections(hostile)),
            ),
            UnlinkConnection(
                Address("delta", "bank"), "the spec says state: unlinked", COMPANY, CONNECTION, "Plaid"
            ),
            DeleteConnection(
                Address("delta", f"plaid{hostile}:2e9d2c44"),
                "in no spec, and --prune",
                COMPANY,
                CONNECTION,
                f"Plaid{hostile}",
                Status.PENDING_AUTH,
                True,
            ),
            DeleteSourceAccount(
                feed,
                "the spec says state: absent; what the customer mapped it to goes with it",
                COMPANY,
                CONNECTION,
                LiveSourceAccount(f"acc-1{hostile}", f"Closed{hostile}", status=f"connected{hostile}"),
            ),
            UpdateSourceAccount(
                feed,
                "its name differs",
                COMPANY,
                CONNECTION,
                f"acc-2{hostile}",
                Change("accountName", f"Old{hostile}", f"New{hostile}"),
            ),
            CreateSourceAccount(
                feed,
                "not in Codat",
                COMPANY,
                CONNECTION,
                DesiredSourceAccount(
                    f"acc-3{hostile}",
                    f"Current{hostile}",
                    "checking",
                    "GBP",
                    {"accountNumber": SecretRef("env", "ACC_3_NUMBER")},
                ),
            ),
            SyncCompany(
                delta,
                "never synced",
                COMPANY,
                (
                    SyncTarget(Address("delta", "books"), CONNECTION),
                    SyncTarget(Address("delta", "shop"), CONNECTION),
                ),
            ),
        )
    )


def some_attention(hostile: str = "") -> tuple[Attention, ...]:
    """Attention of every class."""
    return (
        Attention(
            AttentionCode.EXISTS,
            Address("echo"),
            f"Codat has a company of this name already ({COMPANY}){hostile}; adopt it with "
            f"'id: {COMPANY}', or say 'new: true' under companies.echo to create another",
        ),
        Attention(
            AttentionCode.RELINK,
            Address("foxtrot", f"books{hostile}"),
            "access was revoked or has expired; the customer must reconnect",
        ),
        Attention(AttentionCode.LINK, Address("golf", "bank"), "waits for the customer to link"),
        Attention(
            AttentionCode.ORPHAN,
            Address(f"old-key{hostile}"),
            f"company {COMPANY} carries our workspace and is in no spec{hostile}",
        ),
    )


def plan_of(
    actions: Iterable[Action] = (),
    attention: Iterable[Attention] = (),
    *,
    unchanged: int = 0,
    refusals: Iterable[str] = (),
    hostile: str = "",
) -> Plan:
    """A plan of these parts."""
    return Plan(
        tool="codat-sync 0.1.0",
        workspace=f"prod{hostile}",
        api=f"https://api.codat.io{hostile}",
        actions=tuple(actions),
        attention=tuple(attention),
        unchanged=unchanged,
        basis=Basis(digest("specs"), {"acme": digest("acme")}),
        refusals=tuple(Refusal(refusal) for refusal in refusals),
    )


def full_plan(hostile: str = "") -> Plan:
    """One of everything, and refused."""
    return plan_of(
        one_of_each(hostile), some_attention(hostile), unchanged=12, refusals=[REFUSAL], hostile=hostile
    )


def ended(
    kind: Kind, address: str, result: Result = Result.DONE, failure: Failure | None = None
) -> ActionOutcome:
    """An action's end."""
    return ActionOutcome(kind, Address.parse(address), result, failure, COMPANY)


def broken_outcome(hostile: str = "") -> Outcome:
    """An apply in which something of everything went wrong."""
    refused = Failure(
        "rejected", f"Codat refused the credentials (HTTP 400): invalid_grant{hostile}", f"0HN-1{hostile}"
    )
    unknown = Failure("authorize-unknown", "Codat's answer was lost, and the connection is still PendingAuth")
    quota = Failure(
        "quota-exhausted", "the daily quota of requests is used up until 00:00 UTC", f"0HN-9{hostile}"
    )
    return Outcome(
        workspace="prod",
        results=(
            ended(Kind.COMPANY_CREATE, "acme"),
            ended(Kind.CONNECTION_CREATE, "acme/books", Result.ALREADY),
            ended(Kind.CONNECTION_AUTHORIZE, f"acme/books{hostile}", Result.FAILED, refused),
            ended(Kind.COMPANY_SYNC, "acme", Result.NOT_STARTED),
            ended(Kind.CONNECTION_AUTHORIZE, "bravo/shop", Result.INCOMPLETE, unknown),
            ended(Kind.COMPANY_UPDATE, "charlie", Result.NOT_STARTED),
            ended(Kind.COMPANY_UPDATE, f"delta{hostile}", Result.NOT_STARTED),
        ),
        attention=some_attention(hostile),
        requests=5,
        stopped=quota,
    )
