"""Tables of the books: what offices recorded, what providers said, the ledger between, and cases.

Every large table carries the office in its key: that is what a distributed PostgreSQL shards on. Times that central's
own clock made are `timestamptz`; times that a box *claims* stay the text the box wrote and are named `…_claim`.
Amounts are whole rials in `bigint`.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

posted_entry: Final = Table(
    "posted_entry",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("disposition", Text, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "leaf"),
    CheckConstraint("octet_length(leaf) = 32", name="leaf_size"),
    Index(
        "posted_entry_unposted",
        "office_id",
        "journal_id",
        "entry_index",
        postgresql_where=text("disposition = 'unposted'"),
    ),
)
"""Which entries the books have seen: an entry is posted once, however often it is handed over."""

office_data_key: Final = Table(
    "office_data_key",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("wrapped", Text, nullable=False),
    PrimaryKeyConstraint("office_id", "key_id"),
)
"""An office's monthly data keys; the private half stays sealed to central."""

PAYMENT_NAMES: Final = (
    "(ARRAY[payment_id, rrn, stan, terminal_number, bill_id, bill_payment_id, inquiry_id, reference])"
)
"""What a person may look a payment up by, as the expression that is indexed."""

office_payment: Final = Table(
    "office_payment",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("obligation", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("amount_rial", BigInteger, nullable=False),
    Column("split", JSONB, nullable=False),
    Column("terminal", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("bill_id", Text),
    Column("bill_payment_id", Text),
    Column("inquiry_id", Text),
    Column("service", Text, nullable=False, server_default=""),
    Column("payable", Text, nullable=False, server_default=""),
    Column("group_id", Text, nullable=False, server_default=""),
    Column("item_count", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("terminal_number", Text),
    Column("merchant_number", Text),
    Column("stan", Text),
    Column("rrn", Text),
    Column("pan", Text),
    Column("response_code", Text),
    Column("terminal_time", Text),
    Column("in_doubt_reason", Text),
    Column("slip_number", Text),
    Column("requested_index", BigInteger, nullable=False),
    Column("requested_claim", Text, nullable=False),
    Column("sent_claim", Text),
    Column("approved_claim", Text),
    Column("local_date", Date, nullable=False),
    Column("outcome_index", BigInteger),
    Column("outcome_leaf", LargeBinary),
    Column("received_at", _INSTANT, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Column("pending_transfer", Text),
    Column("pending_account", Text),
    Column("pending_credit", Text),
    Column("confirming", Boolean, nullable=False, server_default="false"),
    Column("pays_bill", Boolean, nullable=False, server_default="false"),
    Column("unacknowledged", Boolean, nullable=False, server_default="false"),
    Column("refunds", JSONB, nullable=False, server_default="{}"),
    Column("confirmation", Text, nullable=False, server_default="none"),
    Column("refusal_reason", Text),
    Column("provider", Text),
    Column("provider_reference", Text),
    Column("confirmed_at", _INSTANT),
    Column("settled_file", Text),
    Column("settled_line", Integer),
    Column("settled_run", BigInteger),
    PrimaryKeyConstraint("office_id", "payment_id"),
    CheckConstraint("amount_rial > 0", name="amount_positive"),
    CheckConstraint("confirmation IN ('none', 'queued', 'confirmed', 'refused')", name="confirmation_word"),
    Index("office_payment_by_ordinal", "ordinal"),
    Index("office_payment_by_obligation", "obligation"),
    Index("office_payment_by_rrn", text("ltrim(terminal_number, '0')"), text("ltrim(rrn, '0')")),
    Index("office_payment_by_stan", text("ltrim(terminal_number, '0')"), text("ltrim(stan, '0')")),
    Index("office_payment_by_local_date", "local_date"),
    Index("office_payment_by_name", text(PAYMENT_NAMES), postgresql_using="gin"),
    Index("office_payment_of_office", "office_id", "ordinal"),
    Index("office_payment_of_request", "office_id", "inquiry_id", postgresql_where=text("inquiry_id IS NOT NULL")),
    Index("office_payment_by_state", "state", "ordinal"),
    Index("office_payment_by_confirmation", "confirmation", "ordinal"),
    Index("office_payment_by_received_at", "received_at"),
    Index("office_payment_by_changed_at", "changed_at"),
    Index("office_payment_unsettled", "local_date", postgresql_where=text("settled_file IS NULL")),
    Index(
        "office_payment_undone_since",
        "state",
        postgresql_where=text("settled_file IS NOT NULL AND state NOT IN ('approved', 'acknowledged')"),
    ),
    # A line settles one payment.
    Index(
        "office_payment_settled_once",
        "settled_file",
        "settled_line",
        unique=True,
        postgresql_where=text("settled_file IS NOT NULL"),
    ),
)
"""Central's projection of the payments of all journals. Of one with items, `confirmation` sums theirs up."""

office_payment_item: Final = Table(
    "office_payment_item",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("item", Integer, nullable=False),
    Column("obligation", Text, nullable=False),
    Column("amount_rial", BigInteger, nullable=False),
    Column("bill_id", Text),
    Column("bill_payment_id", Text),
    Column("confirmation", Text, nullable=False, server_default="none"),
    Column("refusal_reason", Text),
    Column("provider", Text),
    Column("provider_reference", Text),
    Column("confirmed_at", _INSTANT),
    PrimaryKeyConstraint("office_id", "payment_id", "item"),
    CheckConstraint("amount_rial > 0", name="amount_positive"),
    CheckConstraint("confirmation IN ('none', 'queued', 'confirmed', 'refused')", name="confirmation_word"),
    Index("office_payment_item_by_obligation", "obligation"),
    Index("office_payment_item_by_bill_id", "bill_id"),
    Index("office_payment_item_by_bill_payment_id", "bill_payment_id"),
)
"""What a charge of several obligations pays, from 0 in the order of its request."""

payment_entry: Final = Table(
    "payment_entry",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("at_claim", Text, nullable=False),
    Column("clock", Text, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("office_id", "payment_id", "journal_id", "leaf"),
    Index("ix_payment_entry_journal", "office_id", "journal_id", "entry_index"),
    Index("payment_entry_alarm", "office_id", "payment_id", postgresql_where=text("type = 'alarm.raised'")),
)
"""The entries a payment's life is made of, found by payment."""

office_fact: Final = Table(
    "office_fact",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("at_claim", Text, nullable=False),
    Column("clock", Text, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "leaf"),
    Index("office_fact_of_office", "office_id", "ordinal"),
    Index("office_fact_of_type", "office_id", "type", "ordinal"),
)
"""What boxes said of themselves: starts, days closed, journals verified and closed, keys changed."""

office_inquiry: Final = Table(
    "office_inquiry",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("inquiry_id", Text, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("ticket", Integer, nullable=False),
    Column("service", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parameter_key_id", Text, nullable=False),
    Column("parameter_ciphertext", Text, nullable=False),
    Column("parameter_tail", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("requested_claim", Text, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    Column("outcome", Text),
    Column("reason", Text),
    Column("amount_rial", BigInteger),
    Column("bill_id", Text),
    Column("bill_payment_id", Text),
    Column("due", Text),
    Column("answered_at", _INSTANT),
    PrimaryKeyConstraint("office_id", "inquiry_id"),
    Index("office_inquiry_by_ordinal", "ordinal"),
    Index("office_inquiry_by_inquiry", "inquiry_id"),
)
"""Central's projection of the inquiries; personal data stays sealed."""

ledger_account: Final = Table(
    "ledger_account",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("side", Text, nullable=False),
    CheckConstraint("side IN ('debit', 'credit')", name="side_word"),
)

ledger_transfer: Final = Table(
    "ledger_transfer",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("transfer_id", Text, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("phase", Text, nullable=False),
    Column("pending_id", Text),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount_rial", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("payment_id", Text),
    Column("source_kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("made_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "transfer_id"),
    ForeignKeyConstraint(["debit"], ["ledger_account.code"]),
    ForeignKeyConstraint(["credit"], ["ledger_account.code"]),
    ForeignKeyConstraint(["office_id", "pending_id"], ["ledger_transfer.office_id", "ledger_transfer.transfer_id"]),
    CheckConstraint("amount_rial > 0", name="amount_positive"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    CheckConstraint("phase IN ('pending', 'posted', 'post', 'void')", name="phase_word"),
    CheckConstraint("(phase IN ('post', 'void')) = (pending_id IS NOT NULL)", name="ends_a_pending"),
    # A pending transfer ends once: posted or voided, never both.
    UniqueConstraint("office_id", "pending_id", name="uq_ledger_transfer_ends_once"),
    Index("ledger_transfer_by_payment", "office_id", "payment_id"),
    Index("ledger_transfer_by_debit", "debit", "ordinal"),
    Index("ledger_transfer_by_credit", "credit", "ordinal"),
)
"""Append-only. `pending` holds nothing in a balance; `post` and `void` end it; `posted` is one step."""

provider_task: Final = Table(
    "provider_task",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("task_id", Text, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("item", Integer),
    Column("track_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("asked_at", _INSTANT),
    Column("out_since", _INSTANT),
    Column("next_at", _INSTANT, nullable=False),
    Column("lease", Text),
    Column("lease_until", _INSTANT),
    Column("made_at", _INSTANT, nullable=False),
    Column("finished_at", _INSTANT),
    Column("last_problem", Text),
    Column("provider", Text),
    Column("outcome", Text),
    Column("route", Text, nullable=False, server_default="billing"),
    PrimaryKeyConstraint("office_id", "task_id"),
    UniqueConstraint("office_id", "kind", "subject", "item", postgresql_nulls_not_distinct=True),
    CheckConstraint("kind IN ('confirm', 'inquire', 'serve', 'image')", name="kind_word"),
    CheckConstraint("state IN ('waiting', 'asking', 'done')", name="state_word"),
    CheckConstraint("octet_length(track_id) <= 40", name="track_id_size"),
    Index("provider_task_due", "route", "next_at", postgresql_where=text("state <> 'done'")),
    Index("provider_task_by_ordinal", "ordinal"),
)
"""Questions to providers, each to the connector its `route` names.

`asked_at` is set before the first byte leaves: from then on the status is asked first. `out_since` is when it was set
first and nobody has said since that nothing was done; `attempts` are counted anew from there.
"""

money_case: Final = Table(
    "money_case",
    METADATA,
    Column("case_id", Text, primary_key=True),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("office_id", Text),
    Column("payment_id", Text),
    Column("item", Integer),
    Column("amount_rial", BigInteger, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("opened_at", _INSTANT, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("assigned_to", Text),
    Column("outcome", Text),
    Column("closed_at", _INSTANT),
    Column("closed_by", Text),
    CheckConstraint("state IN ('open', 'assigned', 'closed')", name="state_word"),
    Index("money_case_by_payment", "office_id", "payment_id"),
    Index("money_case_by_ordinal", "ordinal"),
)
"""A difference in a person's hands. The id follows from what it is about, so nothing opens twice."""

money_case_note: Final = Table(
    "money_case_note",
    METADATA,
    Column("case_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("case_id", "number"),
    ForeignKeyConstraint(["case_id"], ["money_case.case_id"]),
)

case_closing: Final = Table(
    "case_closing",
    METADATA,
    Column("closing_id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", _INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", _INSTANT),
    ForeignKeyConstraint(["case_id"], ["money_case.case_id"]),
    CheckConstraint("state IN ('proposed', 'agreed', 'dropped')", name="state_word"),
    CheckConstraint("state <> 'agreed' OR decided_by <> proposed_by", name="two_people"),
    # One proposal at a time about a case.
    Index("case_closing_open", "case_id", unique=True, postgresql_where=text("state = 'proposed'")),
    Index("case_closing_of_case", "case_id", "closing_id"),
)
"""How a case is to end where money moves by it: one person proposes, another agrees. Never deleted."""
