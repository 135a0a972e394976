"""Many payments of one shape put into a box's file at once: each entry made, chained and signed, rows beside them."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

from edge.journal.making import make_entry
from edge.journal.ports import Head, Recorded
from edge.journal.signer import FileSigner
from edge.services.papers.documents import BILL_RECEIPT
from edge.settings import KEY_NAME, STORE_NAME
from edge.store import finding_rows
from edge.store.database import open_for_writing, transaction
from edge.store.exposure_rows import BUCKET
from edge.store.rows import Rows
from shared.clock import SystemClock
from shared.events import Body, Evidence, PaymentApproved, PaymentRequested, PaymentSent, ReceiptPrinted, Split
from shared.journal.tree import Frontier

BILL_ID: Final = "7748317800142"
OPERATOR_NAME: Final = "bench"
ENTRIES_OF_PAYMENT: Final = 4
AMOUNT_RIAL: Final = 17_000
_TOGETHER: Final = 5_000
"""Payments in one transaction."""


def payment_id(number: int) -> str:
    """Return the id of the payment of a number."""
    return f"p{number:020}"


def payment_facts(number: int) -> list[Body]:
    """Return what is journaled of the payment of a number."""
    name = payment_id(number)
    evidence = Evidence(
        source="answer",
        response_code="00",
        amount_rial=AMOUNT_RIAL,
        reference=f"{number:018}",
        stan=f"{number % 1_000_000:06}",
        rrn=f"{number:012}",
        terminal_number="00001234",
        merchant_number="12404580",
        pan="603769******4321",
    )
    return [
        PaymentRequested(
            payment_id=name,
            obligation=f"bill:{BILL_ID}:{number}",
            purpose="bill",
            amount_rial=AMOUNT_RIAL,
            split=Split(gross_rial=AMOUNT_RIAL, company_rial=AMOUNT_RIAL),
            method="pcpos",
            terminal="t",
            reference=f"{number:018}",
            operator=OPERATOR_NAME,
            bill_id=BILL_ID,
            bill_payment_id=str(number),
        ),
        PaymentSent(payment_id=name, terminal_number="00001234"),
        PaymentApproved(payment_id=name, evidence=evidence),
        ReceiptPrinted(job_id=f"j{number}", document="bill", about=name, copy=False),
    ]


class Bulk:
    """Adds payments to the file of a box that nobody has open, which holds the first of them."""

    def __init__(self, home: Path, boot: str) -> None:
        self._connection = open_for_writing(home / STORE_NAME)
        self._signer = FileSigner.load(home / KEY_NAME)
        self._clock = SystemClock()
        self._boot = boot
        rows = Rows(self._connection)
        self._journal_id = rows.identity().journal_id
        self._head = Head(rows.size(), rows.head_leaf())
        self._frontier = Frontier.of(self._head.size, rows.node)
        self._first = {table: self._row(table) for table in ("payment", "holding")}

    def _row(self, table: str) -> dict[str, Any]:
        """Return the first row of a table, by column."""
        cursor = self._connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - a table of ours
        first = next(cursor)
        row = dict(zip([column[0] for column in cursor.get_description()], first, strict=True))
        cursor.close()
        return row

    def append(self, numbers: range) -> None:
        """Add the payments of these numbers."""
        for start in range(numbers.start, numbers.stop, _TOGETHER):
            with transaction(self._connection, "IMMEDIATE"):
                self._append(range(start, min(start + _TOGETHER, numbers.stop)))

    def _append(self, numbers: range) -> None:
        entries: list[tuple[int, bytes, bytes, bytes]] = []
        payments: list[dict[str, Any]] = []
        printed: list[Recorded] = []
        for number in numbers:
            made = []
            for body in payment_facts(number):
                data, signature, recorded = make_entry(
                    body,
                    self._head,
                    journal_id=self._journal_id,
                    boot=self._boot,
                    signer=self._signer,
                    clock=self._clock,
                )
                nodes = b"".join(self._frontier.append(recorded.leaf))
                entries.append((recorded.index, nodes, signature, data))
                self._head = Head(recorded.index + 1, recorded.leaf)
                made.append(recorded)
            requested, _, approved, receipt = made
            printed.append(receipt)
            names = {
                "payment_id": payment_id(number),
                "obligation": f"bill:{BILL_ID}:{number}",
                "reference": f"{number:018}",
                "bill_payment_id": str(number),
                "stan": f"{number % 1_000_000:06}",
                "rrn": f"{number:012}",
                "requested_at": requested.entry.at,
                "requested_index": requested.index,
                "outcome_index": approved.index,
                "outcome_leaf": approved.leaf.hex(),
                "outcome_at": approved.entry.at,
                "moved_index": approved.index,
                "confirmation": "confirmed",
            }
            payments.append(names)
        self._connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)
        self._put("payment", payments)
        self._put("holding", payments)
        self._connection.executemany(
            "INSERT INTO print_job (job_id, document, about, state, copy, attempts) VALUES (?, ?, ?, 'printed', 0, 1)",
            [(f"j{number}", BILL_RECEIPT, payment_id(number)) for number in numbers],
        )
        self._sum([row["moved_index"] for row in payments])
        for row, receipt in zip(payments, printed, strict=True):
            for document in finding_rows.payment_document(self._connection, row["payment_id"]):
                finding_rows.put_in(self._connection, *document)
            finding_rows.note_act(self._connection, receipt)

    def _put(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Insert rows that are the first one but for what is named."""
        first = self._first[table]
        marks = ", ".join("?" * len(first))
        self._connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - marks only
            [[row.get(column, value) for column, value in first.items()] for row in rows],
        )

    def _sum(self, moved: list[int]) -> None:
        """Add charged payments to the sums that the product keeps."""
        for bucket, count in sorted(Counter(index // BUCKET for index in moved).items()):
            self._connection.execute(
                "INSERT INTO exposure_sum VALUES (?1, ?2, ?3, 0, 0) ON CONFLICT (bucket) DO UPDATE SET "
                "charged_count = charged_count + ?2, charged_rial = charged_rial + ?3",
                (bucket, count, count * AMOUNT_RIAL),
            )
        self._connection.execute(
            "UPDATE day_total SET count = count + ?1, amount_rial = amount_rial + ?2",
            (len(moved), len(moved) * AMOUNT_RIAL),
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
