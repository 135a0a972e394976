"""Cases: what a person must look at. Opening one is part of the transaction that found the reason.

A case's id follows from its kind and what it is about, so the same reason never opens two.
"""

import hashlib
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from central.ledger.accounts import PAID_OUT
from central.store.books import case_closing, ledger_transfer, money_case, money_case_note

CaseKind = Literal[
    "refund",
    "late_approval",
    "paid_twice",
    "overridden",
    "unposted",
    "overdue",
    "amount_differs",
    "status_differs",
    "missing_at_acquirer",
    "missing_at_office",
    "duplicate",
    "in_doubt_settled",
    "confirmed_uncharged",
    "had_twice",
    "left_in_doubt",
    "answer_contradicted",
    "no_result",
    "tariff_differs",
]

CENTRAL: Final = "central"
"""Who opened it, when no person did."""

CASE_NAMES: Final[dict[str, tuple[str, str]]] = {
    "refund": ("برگشت به مشتری", "Refund to the customer"),
    "late_approval": ("تأیید دیرهنگام", "Late approval"),
    "paid_twice": ("پرداخت دوباره", "Paid twice"),
    "overridden": ("تصمیم سرپرست", "A supervisor's decision"),
    "unposted": ("رویداد ثبت‌نشده", "Entry not posted"),
    "overdue": ("تأیید نشده پس از موعد", "Confirmation overdue"),
    "amount_differs": ("مغایرت مبلغ", "Amount differs"),
    "status_differs": ("مغایرت وضعیت", "Status differs"),
    "missing_at_acquirer": ("نزد پذیرنده نیست", "Missing at the acquirer"),
    "missing_at_office": ("نزد دفتر نیست", "Missing at the office"),
    "duplicate": ("تکراری", "Duplicate"),
    "in_doubt_settled": ("نامشخصِ تسویه‌شده", "In doubt, settled"),
    "confirmed_uncharged": ("قبض تأییدشدهٔ بی‌برداشت", "Taken by its biller, not charged"),
    "had_twice": ("پولی که مشتری دو بار دارد", "The customer has it twice"),
    "answer_contradicted": ("پاسخی که فایل اصلاحی رد می‌کند", "An answer that a corrected file contradicts"),
    "no_result": ("کارمزدِ بی‌نتیجه", "Fee without a result"),
    "tariff_differs": ("مغایرت با تعرفه", "Differs from the tariff"),
    "left_in_doubt": ("نامشخصِ به‌جامانده از دستگاه پیشین", "Left in doubt by a box that is gone"),
}

AGAIN: Final = "دوباره پیش آمد و باز شد · it came again: opened again"
"""The note in a closed case that has a new reason."""
HAS_IT: Final = "دوباره پیش آمد؛ پول نزد مشتری است · it came again: the customer has the money"
"""The note in a closed case that has a new reason, where the customer has its money already."""
_NOTE_SIZE_MAX: Final = 2000
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LETTERS: Final = 12


class NewCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case to open. `about` is what makes it one case: a payment, an entry, a break's key."""

    kind: CaseKind
    about: str
    amount_rial: int
    office_id: str | None = None
    payment_id: str | None = None
    item: int | None = None
    """Of a charge of several obligations: the one it is about."""
    facts: dict[str, Any] = {}

    @property
    def case_id(self) -> str:
        """Return the id the case has, opened or not."""
        return case_id(self.kind, self.about)


def case_id(kind: str, about: str) -> str:
    """Return the id of the case of this kind about this: `case-` and 12 letters, 60 bits of SHA-256."""
    digest = hashlib.sha256(f"{kind}|{about}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    return "case-" + "".join(_LETTERS[number >> 5 * place & 31] for place in range(_ID_LETTERS))


def unposted_about(journal_id: str, leaf: bytes) -> str:
    """Return what the case of an entry that cannot be booked is about."""
    return f"{journal_id}#{leaf.hex()}"


def break_case_id(break_key: str) -> str:
    """Return the id of the case of a break; its key already names the kind."""
    return case_id("break", break_key)


def case_name(kind: str) -> tuple[str, str]:
    """Return the kind's name in Persian and English; an unknown kind is its own name."""
    return CASE_NAMES.get(kind, (kind, kind))


def open_case(
    connection: Connection,
    new: NewCase,
    *,
    at: datetime,
    by: str = CENTRAL,
    known_id: str = "",
    again: bool = False,
) -> str:
    """Open a case unless it is there already; return its id. `known_id` overrides the id for breaks.

    `again`: there is a new reason for it, so that one that was closed is opened again, with a note. A refund that the
    customer was paid is not: the note says so.
    """
    opened = known_id or new.case_id
    made = connection.execute(
        insert(money_case)
        .values(
            case_id=opened,
            kind=new.kind,
            state="open",
            office_id=new.office_id,
            payment_id=new.payment_id,
            item=new.item,
            amount_rial=new.amount_rial,
            facts=new.facts,
            opened_at=at,
            opened_by=by,
        )
        .on_conflict_do_nothing(index_elements=[money_case.c.case_id])
        .returning(money_case.c.case_id)
    ).one_or_none()
    if made is None and again:
        _reopen(connection, opened, new, at=at)
    return opened


def _reopen(connection: Connection, case_id: str, new: NewCase, *, at: datetime) -> None:
    closed = connection.execute(
        select(money_case.c.case_id)
        .where(money_case.c.case_id == case_id, money_case.c.state == "closed")
        .with_for_update()
    ).one_or_none()
    if closed is not None:
        facts = ", ".join(f"{name}: {value}" for name, value in new.facts.items())
        has_it = new.kind == "refund" and _paid_by(connection, case_id) >= new.amount_rial
        write_note(connection, case_id, f"{HAS_IT if has_it else AGAIN} ({facts})"[:_NOTE_SIZE_MAX], by=CENTRAL, at=at)
        if not has_it:
            open_again(connection, case_id)


def paid_by_case() -> ColumnElement[int]:
    """Return the sum of what customers were paid by the transfers of cases, less what of it was taken back."""
    table = ledger_transfer.c
    signed = case(
        (table.credit == PAID_OUT.code, table.amount_rial), (table.debit == PAID_OUT.code, -table.amount_rial), else_=0
    )
    return func.coalesce(func.sum(signed), 0).cast(BigInteger)


def _paid_by(connection: Connection, case_id: str) -> int:
    table, of = ledger_transfer.c, money_case.c
    query = (
        select(paid_by_case())
        .join(money_case, (of.office_id == table.office_id) & (of.payment_id == table.payment_id))
        .where(of.case_id == case_id, table.source_kind == "case", table.source == case_id)
    )
    return int(connection.execute(query).scalar_one())


def note_if_there(connection: Connection, case_id: str, text: str, *, closes: bool, at: datetime) -> bool:
    """Write a note of central's into a case that is there and not closed, and close it if told so; return whether."""
    found = connection.execute(
        select(money_case.c.case_id)
        .where(money_case.c.case_id == case_id, money_case.c.state != "closed")
        .with_for_update()
    ).one_or_none()
    if found is None:
        return False
    write_note(connection, case_id, text, by=CENTRAL, at=at)
    if closes:
        close_case(connection, case_id, outcome="by_central", by=CENTRAL, at=at)
    return True


def note_closed(connection: Connection, case_id: str, text: str, *, at: datetime) -> None:
    """Write a note of central's into a case, closed or not, and leave it as it is."""
    connection.execute(select(money_case.c.case_id).where(money_case.c.case_id == case_id).with_for_update())
    write_note(connection, case_id, text, by=CENTRAL, at=at)


def close_case(connection: Connection, case_id: str, *, outcome: str, by: str, at: datetime) -> None:
    """Close a case whose row is locked. What was proposed of it and waits is dropped."""
    connection.execute(
        update(case_closing)
        .where(case_closing.c.case_id == case_id, case_closing.c.state == "proposed")
        .values(state="dropped", decided_by=by, decided_at=at)
    )
    connection.execute(
        update(money_case)
        .where(money_case.c.case_id == case_id)
        .values(state="closed", outcome=outcome, closed_by=by, closed_at=at)
    )


def open_again(connection: Connection, case_id: str) -> None:
    """Open a closed case whose row is locked; its notes tell what was."""
    connection.execute(
        update(money_case)
        .where(money_case.c.case_id == case_id)
        .values(state="open", outcome=None, closed_by=None, closed_at=None)
    )


def write_note(connection: Connection, case_id: str, text: str, *, by: str, at: datetime) -> None:
    """Write a note at the end of a case that exists; its row should be locked against another writer."""
    last = connection.execute(
        select(func.coalesce(func.max(money_case_note.c.number), 0)).where(money_case_note.c.case_id == case_id)
    ).scalar_one()
    connection.execute(insert(money_case_note).values(case_id=case_id, number=last + 1, by=by, at=at, text=text))
