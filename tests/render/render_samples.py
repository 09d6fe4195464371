"""Plans and outcomes to render: one of everything, and one whose every text is hostile."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.account_actions import CreateWebhook, DeleteWebhook, SetProfileSyncSettings, UpdateProfile
from reconciler.actions import (
    Action,
    AddProduct,
    AdoptCompany,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    DeleteConnection,
    RemoveProduct,
    SetSyncSettings,
    SyncCompany,
    SyncTarget,
    UnlinkConnection,
    UpdateCompany,
    in_order,
)
from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.fields import by_path
from reconciler.kinds import Change, Kind, digest
from reconciler.live import LiveCompany, LiveConnection, LiveSourceAccount, LiveWebhook, Status
from reconciler.model import ACCOUNT, Address, DesiredSourceAccount
from reconciler.outcome import ActionOutcome, Failure, Outcome, Result
from reconciler.plan import Attention, AttentionCode, Basis, Plan, Refusal
from reconciler.secret_refs import Secret, SecretRef, Variable
from reconciler.source_account_actions import CreateSourceAccount, DeleteSourceAccount, UpdateSourceAccount

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
        LiveConnection(
            id=CONNECTION, platform_key="gbol", platform_name=f"Xero{hostile}", status=Status.LINKED
        ),
        LiveConnection(
            id=COMPANY, platform_key="suuo", platform_name=f"Plaid{hostile}", status=Status.DEAUTHORIZED
        ),
    )


def of_the_account(hostile: str = "") -> tuple[Action, ...]:
    """One action of each kind that is about the account itself."""
    account, profile = Address(ACCOUNT, "webhook.reads"), Address(ACCOUNT, "profile")
    consumer = LiveWebhook(
        id=CONNECTION, url=Secret(f"https://hooks.example/{SECRET_TEXT}"), event_types=(f"read{hostile}",)
    )
    return in_order(
        (
            CreateWebhook(
                address=account,
                reason="not in Codat",
                url=SecretRef(Variable(f"WEBHOOK{hostile}")),
                event_types=(f"read.completed{hostile}",),
                company_tags=(f"region:uk{hostile}",),
                disabled=True,
            ),
            DeleteWebhook(
                address=Address(ACCOUNT, "webhook:2e9d2c44"),
                reason="absent, by the spec",
                webhook_id=CONNECTION,
                observed=consumer,
            ),
            UpdateProfile(
                address=profile,
                reason="the profile differs",
                changes=(
                    Change(
                        path="redirectUrl",
                        before=f"https://old.example{hostile}",
                        after=f"https://new.example{hostile}",
                    ),
                ),
                fields={"redirectUrl": f"https://new.example{hostile}"},
            ),
            SetProfileSyncSettings(
                address=profile,
                reason="sync settings differ",
                changes=(Change(path="syncSettings.invoices.syncFromWindow", before="24", after="12"),),
                settings={"invoices": {"syncFromWindow": 12}},
            ),
        )
    )


def one_of_each(hostile: str = "") -> tuple[Action, ...]:
    """One action of each kind that is about companies; ``hostile`` is put into every text of others."""
    live = LiveCompany(id=COMPANY, name="Old")
    acme, books = Address("acme"), Address("acme", f"books{hostile}")
    bravo, delta, feed = Address(f"bravo{hostile}"), Address("delta"), Address("delta", f"feed{hostile}")
    token = {"accessToken": SecretRef(Variable(SECRET_TEXT)), f"realmId{hostile}": SECRET_TEXT}
    texts = {"name": f"Acme Stores{hostile}", "description": f"Moved{hostile}"}
    sent = by_path(texts, {f"region{hostile}": "uk"})
    return in_order(
        (
            CreateCompany(address=acme, reason="not in Codat", fields=sent),
            CreateConnection(
                address=books,
                reason="not in Codat",
                company_id=None,
                platform=f"xero{hostile}",
                platform_key="gbol",
            ),
            AuthorizeConnection(
                address=books,
                reason="created by this plan",
                company_id=None,
                connection_id=None,
                platform=f"xero{hostile}",
                platform_key="gbol",
                observed=None,
                authorization=token,
            ),
            SyncCompany(
                address=acme,
                reason="authorized by this plan",
                company_id=None,
                targets=(SyncTarget(address=books, connection_id=None, data_types=("invoices",)),),
            ),
            AdoptCompany(
                address=Address("alder"),
                reason="named by id, not managed yet",
                company_id=COMPANY,
                changes=(
                    Change(path="tags.codatSyncKey", before=None, after="alder"),
                    Change(path="tags.codatSyncWorkspace", before=None, after="prod"),
                ),
                observed=live,
            ),
            UpdateCompany(
                address=bravo,
                reason="managed fields differ",
                company_id=COMPANY,
                changes=(
                    Change(path="description", before=f"Old words{hostile}", after=None),
                    Change(path="name", before=f"Acme{hostile}", after="Acme Stores"),
                    Change(path=f"tags.region{hostile}", before="uk", after=f"eu{hostile}"),
                ),
                observed=live,
            ),
            AddProduct(
                address=acme, reason="in the spec's products", company_id=None, product=f"lending{hostile}"
            ),
            RemoveProduct(
                address=bravo,
                reason="not in the spec's products",
                company_id=COMPANY,
                product=f"payables{hostile}",
            ),
            SetSyncSettings(
                address=bravo,
                reason="sync settings differ",
                company_id=COMPANY,
                changes=(
                    Change(
                        path=f"syncSettings.invoices{hostile}.syncSchedule", before=f"24{hostile}", after="12"
                    ),
                ),
                settings={"invoices": {"syncSchedule": 12}},
            ),
            DeleteCompany(
                address=Address("charlie"),
                reason="in no spec any more, and --prune",
                company_id=COMPANY,
                name=f"Charlie{hostile}",
                pruned=True,
                observed=LiveCompany(
                    id=COMPANY, name=f"Charlie{hostile}", connections=lost_connections(hostile)
                ),
            ),
            UnlinkConnection(
                address=Address("delta", "bank"),
                reason="the spec says state: unlinked",
                company_id=COMPANY,
                connection_id=CONNECTION,
                platform="Plaid",
            ),
            DeleteConnection(
                address=Address("delta", f"plaid{hostile}:2e9d2c44"),
                reason="in no spec, and --prune",
                company_id=COMPANY,
                connection_id=CONNECTION,
                platform=f"Plaid{hostile}",
                status=Status.PENDING_AUTH,
                pruned=True,
            ),
            DeleteSourceAccount(
                address=feed,
                reason="the spec says state: absent; what the customer mapped it to goes with it",
                company_id=COMPANY,
                connection_id=CONNECTION,
                observed=LiveSourceAccount(
                    id=f"acc-1{hostile}", name=f"Closed{hostile}", status=f"connected{hostile}"
                ),
            ),
            UpdateSourceAccount(
                address=feed,
                reason="its name differs",
                company_id=COMPANY,
                connection_id=CONNECTION,
                account_id=f"acc-2{hostile}",
                change=Change(path="accountName", before=f"Old{hostile}", after=f"New{hostile}"),
            ),
            CreateSourceAccount(
                address=feed,
                reason="not in Codat",
                company_id=COMPANY,
                connection_id=CONNECTION,
                account=DesiredSourceAccount(
                    key=f"acc-3{hostile}",
                    name=f"Current{hostile}",
                    type="checking",
                    currency="GBP",
                    numbers={"accountNumber": SecretRef(Variable("ACC_3_NUMBER"))},
                ),
            ),
            SyncCompany(
                address=delta,
                reason="never synced",
                company_id=COMPANY,
                targets=(
                    SyncTarget(address=Address("delta", "books"), connection_id=CONNECTION),
                    SyncTarget(address=Address("delta", "shop"), connection_id=CONNECTION),
                ),
            ),
        )
    )


def some_attention(hostile: str = "") -> tuple[Attention, ...]:
    """Attention of every class."""
    return (
        Attention(
            code=AttentionCode.EXISTS,
            address=Address("echo"),
            message=f"Codat has a company of this name already ({COMPANY}){hostile}; adopt it with "
            f"'id: {COMPANY}', or say 'new: true' under companies.echo to create another",
        ),
        Attention(
            code=AttentionCode.RELINK,
            address=Address("foxtrot", f"books{hostile}"),
            message="access was revoked or has expired; the customer must reconnect",
        ),
        Attention(
            code=AttentionCode.LINK, address=Address("golf", "bank"), message="waits for the customer to link"
        ),
        Attention(
            code=AttentionCode.ORPHAN,
            address=Address(f"old-key{hostile}"),
            message=f"company {COMPANY} carries our workspace and is in no spec{hostile}",
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
    return ActionOutcome(
        kind=kind, address=Address.parse(address), result=result, failure=failure, company_id=COMPANY
    )


def broken_outcome(hostile: str = "") -> Outcome:
    """An apply in which something of everything went wrong."""
    refused = Failure(
        code="rejected",
        what=f"Codat refused the credentials (HTTP 400): invalid_grant{hostile}",
        correlation_id=f"0HN-1{hostile}",
    )
    unknown = Failure(
        code="authorize-unknown", what="Codat's answer was lost, and the connection is still PendingAuth"
    )
    quota = Failure(
        code="quota-exhausted",
        what="the daily quota of requests is used up until 00:00 UTC",
        correlation_id=f"0HN-9{hostile}",
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
