"""What is shown of settlement files, runs, breaks, cases and the day board: frozen structs, never rows.

Amounts are whole rials, named `…_rial`; times end `_at` and carry a zone.
"""

from datetime import date, datetime
from typing import Any

import msgspec

from central.ledger.item_queries import ItemRow
from central.ledger.queries import PaymentRow


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """An imported settlement file. `total_rial` is the sum of its amounts as printed."""

    file_id: str
    ordinal: int
    sha256: bytes
    name: str
    size_bytes: int
    line_count: int
    total_rial: int
    financial_from: date
    financial_to: date
    imported_at: datetime
    imported_by: str


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a settlement file. `line_number` is the line in the file; the header is line 1."""

    file_id: str
    line_number: int
    psp: str
    rrn: str
    stan: str
    terminal_id: str
    merchant_id: str
    pan_masked: str
    amount_rial: int
    local_date: date
    local_time: str
    financial_date: date
    cycle: str
    iban: str
    type: str
    status: str
    original_rrn: str
    service_code: str
    share_of: str
    row_no: str


class BucketView(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket of a run. `difference_rial == acquirer_rial - office_rial`."""

    bucket: str
    name_fa: str
    name_en: str
    is_break: bool
    decision_count: int
    payment_count: int
    line_count: int
    office_rial: int
    acquirer_rial: int
    difference_rial: int


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A reconciliation run. `scope` and `rules` are what it was asked, `…_sha256` hash its inputs and its result."""

    run_id: int
    started_at: datetime
    started_by: str
    scope: dict[str, Any]
    rules: dict[str, Any]
    payments_sha256: bytes
    lines_sha256: bytes
    result_sha256: bytes
    payment_count: int
    line_count: int
    office_rial: int
    acquirer_rial: int
    break_count: int
    settled_count: int
    """Payments this run was the first to see settled."""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run with its buckets, all of them, empty ones too, in reading order. They tie out to the run's totals."""

    run: RunRow
    buckets: tuple[BucketView, ...]


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of a run: these payments and these lines stand in this bucket by this rule."""

    run_id: int
    number: int
    bucket: str
    rule: str
    is_break: bool
    office_rial: int
    acquirer_rial: int
    difference_rial: int
    break_key: str
    case_id: str | None
    payments: tuple[PaymentRow, ...]
    lines: tuple[LineView, ...]


class NoteView(msgspec.Struct, frozen=True, kw_only=True):
    """One note on a case."""

    number: int
    by: str
    at: datetime
    text: str


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case. `kind` is a break's bucket, or refund, late_approval, paid_twice, overridden, unposted, overdue."""

    case_id: str
    ordinal: int
    kind: str
    name_fa: str
    name_en: str
    state: str
    """open, assigned, closed."""
    office_id: str | None
    payment_id: str | None
    item: int | None
    """Of a charge of several obligations: the one it is about."""
    amount_rial: int
    facts: dict[str, Any]
    opened_at: datetime
    opened_by: str
    assigned_to: str | None
    outcome: str | None = None
    """Of a closed one: how it ended (`central.ledger.closings`)."""
    closed_at: datetime | None = None
    closed_by: str | None = None
    waits: bool = False
    """Whether its end was proposed and waits for a second person."""


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case with its notes, oldest first, its payment, and the item of it that it is about."""

    case: CaseRow
    notes: tuple[NoteView, ...]
    payment: PaymentRow | None
    item: ItemRow | None = None


class OfficeBoard(msgspec.Struct, frozen=True, kw_only=True):
    """One office's numbers of the board."""

    office_id: str
    payment_count: int
    charged_count: int
    charged_rial: int
    in_doubt_count: int
    in_doubt_rial: int
    undoing_count: int
    undoing_rial: int
    unconfirmed_count: int
    unconfirmed_rial: int
    refused_count: int
    refused_rial: int
    unsettled_count: int
    unsettled_rial: int
    last_received_at: datetime


class DayBoard(msgspec.Struct, frozen=True, kw_only=True):
    """The board finance opens the day with. Sums are of payments received since `since`, or of all."""

    since: datetime | None
    offices: tuple[OfficeBoard, ...]
    charged_count: int
    charged_rial: int
    in_doubt_count: int
    in_doubt_rial: int
    undoing_count: int
    undoing_rial: int
    unconfirmed_count: int
    unconfirmed_rial: int
    confirmed_count: int
    confirmed_rial: int
    refused_count: int
    refused_rial: int
    settled_count: int
    settled_rial: int
    unsettled_count: int
    unsettled_rial: int
    open_cases: dict[str, int]
    """Cases not closed, by kind."""
    last_run: RunView | None
