"""Entries handed to the hook, in a real PostgreSQL: what finance sees of them, and that repeating changes nothing."""

import hashlib
import itertools
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import Connection, Engine, select, text

from central.ingest.accepted import Accepted
from central.ledger.queries import PaymentFilter, payment, payment_entries, payment_transfers, payments, trial_balance
from central.ledger.questions import track_id
from central.ledger.receive import post_entries
from central.providers.queries import inquiry, subject_tasks, tasks
from central.reconciliation.queries import cases
from central.store.books import posted_entry
from shared.clock import SystemClock
from shared.events import (
    Body,
    DataKeyMade,
    Evidence,
    InquiryRequested,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRequested,
    PaymentSent,
    ReceiptPrinted,
    Split,
    StatusQueried,
)
from shared.journal.entry import Entry, encode_body, encode_entry, leaf_hash
from shared.payment import PaymentState
from shared.sealed import Sealed

pytestmark = pytest.mark.postgres

NOISE = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(200))
"""A text too long for an index, and one that does not shrink."""
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BILL = ("7748317800142", "1770160")


class Journal:
    """Entries of one office's journal, as the receiver hands them over."""

    def __init__(self, office: str) -> None:
        self.office = office
        self.journal = f"daftar.journal/{office}/box-1/1"
        self._indexes = itertools.count()

    def entry(self, body: Body) -> Accepted:
        index = next(self._indexes)
        entry = Entry(
            v=1,
            journal=self.journal,
            index=index,
            prev="0" * 64,
            boot="boot-1",
            at="2026-11-22T09:59:00.000Z",
            monotonic_ms=index,
            clock="ntp",
            type=body.type,
            body=encode_body(body),
        )
        data = encode_entry(entry)
        return Accepted(
            office=self.office,
            journal=self.journal,
            index=index,
            leaf=leaf_hash(data),
            entry=entry,
            body=body,
            received_at=AT,
        )

    def entries(self, *bodies: Body) -> list[Accepted]:
        return [self.entry(body) for body in bodies]


def requested(payment_id: str = "pay-1", *, amount_rial: int = 17_000, purpose: str = "bill") -> PaymentRequested:
    return PaymentRequested(
        payment_id=payment_id,
        obligation=f"bill:{BILL[0]}:{BILL[1]}",
        purpose=purpose,  # type: ignore[arg-type]
        amount_rial=amount_rial,
        split=Split(gross_rial=amount_rial, company_rial=amount_rial),
        method="pcpos",
        terminal="counter-1",
        reference="123456789012345678",
        operator="op-1",
        bill_id=BILL[0],
        bill_payment_id=BILL[1],
    )


def sent(payment_id: str = "pay-1", terminal_number: str | None = "11223344") -> PaymentSent:
    return PaymentSent(payment_id=payment_id, terminal_number=terminal_number)


def evidence(**changes: object) -> Evidence:
    whole = Evidence(
        source="answer",
        response_code="00",
        amount_rial=17_000,
        reference="123456789012345678",
        stan="000123",
        rrn="123456789012",
        terminal_number="11223344",
        pan="610433******8596",
    )
    return msgspec.structs.replace(whole, **changes)


def approved(payment_id: str = "pay-1", **changes: object) -> PaymentApproved:
    return PaymentApproved(payment_id=payment_id, evidence=evidence(**changes))


def post(engine: Engine, accepted: Sequence[Accepted]) -> None:
    with engine.begin() as connection:
        post_entries(connection, object(), accepted)


def balances(connection: Connection) -> dict[str, int]:
    trial = trial_balance(connection)
    assert trial.debits_rial == trial.credits_rial
    return {account.code: account.balance_rial for account in trial.accounts if account.balance_rial}


def pending(connection: Connection) -> dict[str, tuple[int, int]]:
    return {
        account.code: (account.pending_debits_rial, account.pending_credits_rial)
        for account in trial_balance(connection).accounts
        if account.pending_debits_rial or account.pending_credits_rial
    }


def test_an_approved_bill_is_owed_by_the_acquirer_and_asked_of_the_provider(engine: Engine) -> None:
    journal = Journal("72101001")
    post(engine, journal.entries(requested(), sent()))
    with engine.connect() as connection:
        assert balances(connection) == {}
        assert pending(connection) == {"receivable:11223344": (17_000, 0), "unconfirmed": (0, 17_000)}
    post(engine, journal.entries(approved(), ReceiptPrinted(job_id="j", document="bill", about="pay-1", copy=False)))
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        assert pending(connection) == {}
        row = payment(connection, "72101001", "pay-1")
        assert row is not None
        assert (row.state, row.rrn, row.stan, row.confirmation) == (
            PaymentState.APPROVED,
            "123456789012",
            "000123",
            "queued",
        )
        assert row.approved_claim == "2026-11-22T09:59:00.000Z"
        assert row.received_at == AT
        assert [entry.type for entry in payment_entries(connection, "72101001", "pay-1")] == [
            "payment.requested",
            "payment.sent",
            "payment.approved",
            "receipt.printed",
        ]
        (task,) = subject_tasks(connection, "72101001", "pay-1")
        assert (task.kind, task.state, task.track_id) == (
            "confirm",
            "waiting",
            track_id("confirm", "72101001", "pay-1"),
        )
        assert cases(connection) == ()
        assert payments(connection, PaymentFilter(text="123456789012")) == (row,)
        assert payments(connection, PaymentFilter(office_id="72101001", settled=True)) == ()


def test_posting_again_changes_nothing(engine: Engine) -> None:
    journal = Journal("72101001")
    entries = journal.entries(requested(), sent(), PaymentInDoubt(payment_id="pay-1", reason="no_answer"), approved())
    post(engine, entries)
    with engine.connect() as connection:
        before = (payments(connection, PaymentFilter()), payment_transfers(connection, "72101001", "pay-1"))
    post(engine, entries)
    post(engine, entries[2:])
    with engine.connect() as connection:
        after = (payments(connection, PaymentFilter()), payment_transfers(connection, "72101001", "pay-1"))
    assert after == before


@pytest.mark.parametrize(
    "outcome",
    [
        PaymentDeclined(payment_id="pay-1", evidence=evidence(response_code="51", rrn=None)),
        PaymentCancelled(payment_id="pay-1", evidence=evidence(response_code="cancel", rrn=None)),
    ],
)
def test_a_payment_not_taken_leaves_nothing_in_the_books(engine: Engine, outcome: Body) -> None:
    post(engine, Journal("72101001").entries(requested(), sent(), outcome))
    with engine.connect() as connection:
        assert balances(connection) == {}
        assert pending(connection) == {}
        assert [transfer.phase for transfer in payment_transfers(connection, "72101001", "pay-1")] == [
            "pending",
            "void",
        ]
        assert tasks(connection) == ()


def test_doubt_stays_pending_until_it_is_settled(engine: Engine) -> None:
    journal = Journal("72101001")
    post(
        engine,
        journal.entries(
            requested(),
            sent(),
            PaymentInDoubt(payment_id="pay-1", reason="no_answer"),
            StatusQueried(payment_id="pay-1", outcome="not_found", counts=True),
        ),
    )
    with engine.connect() as connection:
        assert pending(connection) == {"receivable:11223344": (17_000, 0), "unconfirmed": (0, 17_000)}
    post(engine, journal.entries(PaymentNotCharged(payment_id="pay-1", asked_count=2)))
    with engine.connect() as connection:
        assert pending(connection) == {}


def test_a_late_approval_is_posted_anew_and_opens_a_case(engine: Engine) -> None:
    journal = Journal("72101001")
    post(
        engine,
        journal.entries(
            requested(),
            sent(),
            PaymentDeclined(payment_id="pay-1", evidence=evidence(response_code="51")),
            approved(source="late_answer"),
        ),
    )
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        (case,) = cases(connection)
        assert (case.kind, case.payment_id, case.amount_rial, case.facts) == (
            "late_approval",
            "pay-1",
            17_000,
            {"earlier": "declined"},
        )


def test_an_approval_after_not_sent_needs_no_pending(engine: Engine) -> None:
    post(
        engine,
        Journal("72101001").entries(requested(), PaymentNotSent(payment_id="pay-1", reason="restart"), approved()),
    )
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}


def test_a_terminal_number_learned_from_the_answer_moves_the_claim_to_it(engine: Engine) -> None:
    post(engine, Journal("72101001").entries(requested(), sent(terminal_number=None), approved()))
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        assert pending(connection) == {}


def test_a_supervisors_word_is_doubtful_until_evidence_comes(engine: Engine) -> None:
    journal = Journal("72101001")
    post(
        engine,
        journal.entries(
            requested(),
            sent(),
            PaymentInDoubt(payment_id="pay-1", reason="no_answer"),
            PaymentOverridden(payment_id="pay-1", charged=True, operator="boss", reason="slip seen", slip_number="77"),
        ),
    )
    with engine.connect() as connection:
        assert balances(connection) == {"doubtful": 17_000, "unconfirmed": 17_000}
        assert [case.kind for case in cases(connection)] == ["overridden"]
        assert tasks(connection) == ()
    post(engine, journal.entries(approved()))
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        assert [task.kind for task in tasks(connection)] == ["confirm"]


def test_the_same_obligation_paid_in_two_offices_opens_a_case(engine: Engine) -> None:
    post(engine, Journal("72101001").entries(requested(), sent(), approved()))
    post(engine, Journal("72101002").entries(requested("pay-2"), sent("pay-2"), approved("pay-2", rrn="999999999999")))
    with engine.connect() as connection:
        (case,) = cases(connection)
        assert (case.kind, case.office_id, case.payment_id) == ("refund", "72101002", "pay-2")
        assert case.facts["reason"] == "charged_twice"
        assert case.facts["others"] == [{"office_id": "72101001", "payment_id": "pay-1", "state": "approved"}]
        assert [task.subject for task in tasks(connection)] == ["pay-2", "pay-1"]


@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        ([sent("nobody")], "books.unknown_payment"),
        ([requested("p"), approved("p")], "books.impossible_move"),
        ([requested("p"), requested("p")], "books.payment_known_already"),
        ([requested("p", amount_rial=0)], "books.bad_amount"),
        ([requested("p", amount_rial=2**70)], "books.bad_amount"),
        ([requested("p"), sent("p"), approved("p", amount_rial=1)], "books.other_amount"),
        ([requested("nul\x00")], "books.not_storable"),
        ([requested(NOISE)], "books.not_storable"),
        ([requested("p"), sent("p", terminal_number=NOISE)], "books.not_storable"),
        ([requested("p"), requested("nul\x00")], "books.not_storable"),
    ],
)
def test_an_entry_that_cannot_be_booked_becomes_a_case_and_blocks_nobody(
    engine: Engine, bodies: list[Body], code: str
) -> None:
    journal = Journal("72101001")
    post(engine, journal.entries(*bodies, requested(), sent(), approved()))
    with engine.connect() as connection:
        found = [case for case in cases(connection) if case.kind == "unposted"]
        assert [case.facts["code"] for case in found] == [code]
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        set_aside = connection.execute(
            select(posted_entry.c.entry_index).where(posted_entry.c.disposition == "unposted")
        ).scalars()
        assert list(set_aside) == [len(bodies) - 1]


def test_zeros_in_what_a_terminal_says_do_not_hide_a_charge(engine: Engine) -> None:
    journal = Journal("72101001")
    said = approved(terminal_time="2026\x00", merchant_number="\x00", response_code="00\x00")
    asked = StatusQueried(payment_id="pay-1", outcome="approved\x00")
    post(engine, journal.entries(requested(), sent(), said, asked))
    with engine.connect() as connection:
        assert cases(connection) == ()
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        row = payment(connection, "72101001", "pay-1")
        assert row is not None
        assert row.response_code == "00\ufffd"
        assert payment_entries(connection, "72101001", "pay-1")[-1].body["outcome"] == "approved\ufffd"


@pytest.mark.parametrize("second", [approved(), approved(source="late_answer", rrn="999999999999")])
def test_a_second_approval_changes_no_sum_and_asks_nobody_again(engine: Engine, second: Body) -> None:
    journal = Journal("72101001")
    post(engine, journal.entries(requested(), sent(), approved()))
    post(engine, journal.entries(second, second))
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        assert [case.kind for case in cases(connection)] == ["unposted", "unposted"]
        assert all(case.facts["charged"] for case in cases(connection))
        assert len(tasks(connection)) == 1
        row = payment(connection, "72101001", "pay-1")
        assert row is not None
        assert row.rrn == "123456789012"


def test_two_offices_that_pay_one_bill_at_one_moment_are_both_seen(engine: Engine) -> None:
    journals = [Journal(f"7210100{number}") for number in range(6)]
    batches = [
        journal.entries(requested(f"pay-{place}"), sent(f"pay-{place}"), approved(f"pay-{place}"))
        for place, journal in enumerate(journals)
    ]
    together = threading.Barrier(len(batches))

    def take(batch: Sequence[Accepted]) -> None:
        together.wait(10)
        post(engine, batch)

    with ThreadPoolExecutor(len(batches)) as pool:
        list(pool.map(take, batches))
    with engine.connect() as connection:
        assert [case.kind for case in cases(connection)] == ["refund"] * 5
        # Each sees all that came before it, so that no pair is missed.
        assert sorted(len(case.facts["others"]) for case in cases(connection)) == [1, 2, 3, 4, 5]
        assert balances(connection)["unconfirmed"] == 6 * 17_000


def test_one_entry_handed_over_by_many_at_once_is_booked_once(engine: Engine) -> None:
    batch = Journal("72101001").entries(requested(), sent(), approved())
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: post(engine, batch), range(6)))
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
        assert [transfer.phase for transfer in payment_transfers(connection, "72101001", "pay-1")] == [
            "pending",
            "post",
        ]
        assert cases(connection) == ()


def test_a_payment_made_by_two_boxes_at_once_stays_the_firsts(engine: Engine) -> None:
    first, second = Journal("72101001"), Journal("72101001")
    second.journal = "daftar.journal/72101001/box-2/1"
    other = msgspec.structs.replace(requested(amount_rial=99_000), obligation="bill:other")
    with engine.connect() as held:
        post_entries(held, object(), first.entries(requested()))
        waiting = threading.Thread(target=post, args=(engine, second.entries(other)))
        waiting.start()
        blocked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :here")
        with engine.connect() as watching:
            here = watching.execute(text("SELECT current_database()")).scalar_one()
            until = SystemClock().monotonic_ms() + 10_000
            while not watching.execute(blocked, {"here": here}).scalar_one():
                watching.rollback()
                assert SystemClock().monotonic_ms() < until
        held.commit()
        waiting.join(10)
    with engine.connect() as connection:
        row = payment(connection, "72101001", "pay-1")
        assert row is not None
        assert (row.amount_rial, row.journal_id) == (17_000, first.journal)
        assert [case.kind for case in cases(connection)] == ["unposted"]


def test_what_another_journal_says_of_a_payment_moves_nothing_and_is_looked_at(engine: Engine) -> None:
    own, other = Journal("72101001"), Journal("72101001")
    other.journal = "daftar.journal/72101001/box-2/1"
    post(engine, own.entries(requested(), sent(), PaymentInDoubt(payment_id="pay-1", reason="no_answer")))
    declined = PaymentDeclined(payment_id="pay-1", evidence=evidence(response_code="51"))
    post(engine, other.entries(declined, approved()))
    with engine.connect() as connection:
        row = payment(connection, "72101001", "pay-1")
        assert row is not None
        assert (row.state, balances(connection)) == (PaymentState.IN_DOUBT, {})
        assert {case.facts["code"] for case in cases(connection)} == {"books.other_journal"}
        assert len(cases(connection)) == 2


def test_an_inquiry_waits_for_the_provider_with_its_parameter_sealed(engine: Engine) -> None:
    asked = InquiryRequested(
        inquiry_id="inq-1",
        ticket=7,
        service="bill_inquiry",
        kind="electricity",
        parameter=Sealed(key_id="72101001/1405-09", ciphertext="c2VhbGVk"),
        parameter_tail="456",
        operator="op-1",
    )
    key = DataKeyMade(key_id="72101001/1405-09", month="1405-09", public_key="00" * 32, wrapped="d3JhcHBlZA==")
    post(engine, Journal("72101001").entries(key, asked, asked))
    with engine.connect() as connection:
        row = inquiry(connection, "72101001", "inq-1")
        assert row is not None
        assert (row.ticket, row.kind, row.parameter_tail, row.outcome) == (7, "electricity", "456", None)
        assert [(task.kind, task.subject) for task in tasks(connection)] == [("inquire", "inq-1")]
        assert [case.facts["code"] for case in cases(connection)] == ["books.inquiry_known_already"]


def test_an_inquiry_fee_is_held_and_not_confirmed(engine: Engine) -> None:
    post(engine, Journal("72101001").entries(requested(purpose="inquiry_fee"), sent(), approved()))
    with engine.connect() as connection:
        assert balances(connection) == {"receivable:11223344": 17_000, "fees": 17_000}
        assert tasks(connection) == ()
