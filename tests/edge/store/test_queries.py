import threading
from collections.abc import Callable

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.journal.export import sign_checkpoint
from edge.journal.views import PrintJob
from edge.store.queries import Queries
from shared.errors import IntegrityError
from shared.events import AlarmRaised, PaymentNotSent
from shared.journal.cosignature import cosign, witness_key
from shared.journal.note import format_note, parse_note
from shared.payment import PaymentState
from tests.edge.store.boxes import BILL_RIAL, BOX, JOURNAL, OFFICE, Box, approved, asked, in_doubt, requested, sent
from verifier import daftar_verify


def pay(box: Box, count: int) -> None:
    for number in range(count):
        name = f"p{number}"
        box.write(requested(name, obligation=f"bill:{number}:1"), sent(name), approved(name))


def test_the_status_counts_what_waits(box: Box):
    pay(box, 3)
    box.write(requested("d", obligation="bill:9:9"), sent("d"), in_doubt("d"))
    box.write(requested("r", obligation="bill:8:8"))
    box.write(AlarmRaised(kind="late_approval", payment_id="p1", detail="x"))
    status = box.queries.status()
    assert (status.office, status.box, status.journal_id) == (OFFICE, BOX, JOURNAL)
    assert (status.size, status.cosigned_size, status.unsent_count) == (15, 0, 15)
    assert (status.unconfirmed_count, status.unconfirmed_rial) == (3, 3 * BILL_RIAL)
    assert status.in_doubt_count == 1
    assert [(alarm.index, alarm.kind, alarm.payment_id) for alarm in status.alarms] == [(14, "late_approval", "p1")]
    assert [payment.payment_id for payment in box.queries.in_doubt()] == ["d"]


def test_a_glance_says_what_the_longer_answers_say_after_each_write(box: Box):
    def hold() -> tuple[int, int]:
        glance, status = box.queries.glance(50_000), box.queries.status()
        for name in ("office", "unsent_count", "unconfirmed_count", "unconfirmed_rial", "last_exchange_at"):
            assert getattr(glance, name) == getattr(status, name)
        assert list(glance.in_doubt) == box.queries.in_doubt()
        under_way = box.queries.payments(None, 1, {PaymentState.REQUESTED, PaymentState.SENT})
        assert glance.is_under_way == bool(under_way)
        assert glance.waiting_papers == len(box.queries.print_jobs_in(("waiting",)))
        assert (glance.policy, glance.exposure) == box.queries.exposure(50_000)
        return len(glance.in_doubt), glance.is_under_way

    seen = [hold()]
    for body in (requested("p1"), sent("p1"), in_doubt("p1"), requested("p2", obligation="bill:2:2")):
        box.write(body)
        seen.append(hold())
    box.within(lambda view: view.spool_print(PrintJob(job_id="j1", document="bill", about="p1")))
    box.within(lambda view: view.update_exchange(last_exchange_at="2026-11-22T10:00:00Z"))
    seen.append(hold())
    assert seen == [(0, False), (0, True), (0, True), (1, False), (1, True), (1, True)]


def test_a_payment_that_another_connection_changed_is_read_anew(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"))
    before = box.queries.payment("p1")
    assert box.queries.payment("p1") is before
    other = apsw.Connection(str(box.path))
    other.execute("UPDATE payment SET printed = printed + 1, confirmation = 'confirmed' WHERE payment_id = 'p1'")
    other.close()
    after = box.queries.payment("p1")
    assert before is not None
    assert after is not None
    assert (after.printed, after.confirmation) == (before.printed + 1, "confirmed")
    assert box.queries.payments(None, 1) == [after]


def test_lists_go_back_by_cursor_and_keep_their_place(box: Box):
    pay(box, 5)
    first = box.queries.payments(None, 2)
    assert [payment.payment_id for payment in first] == ["p4", "p3"]
    box.write(requested("new", obligation="bill:99:1"))
    second = box.queries.payments(first[-1].requested_index, 2)
    assert [payment.payment_id for payment in second] == ["p2", "p1"]
    assert [payment.payment_id for payment in box.queries.payments(None, 9, {PaymentState.REQUESTED})] == ["new"]
    assert box.queries.payments(None, 9, set()) == []


def test_inquiries_go_back_by_cursor(box: Box):
    for number in range(4):
        box.write(asked(f"q{number}", ticket=number + 1))
    first = box.queries.inquiries(None, 3)
    assert [inquiry.inquiry_id for inquiry in first] == ["q3", "q2", "q1"]
    assert [inquiry.ticket for inquiry in box.queries.inquiries(first[-1].requested_index, 3)] == [1]
    assert first[0].parameter.ciphertext == "AAAA"


def test_what_is_not_there_is_none(box: Box):
    assert box.queries.payment("p") is None
    assert box.queries.inquiry("q") is None
    assert box.queries.entry(1) is None
    assert box.queries.print_job("j") is None
    assert box.queries.payment_by_obligation("bill:1:1") is None
    assert box.queries.private_key("k") is None
    with pytest.raises(IntegrityError):
        box.queries.node(0, 1)


def test_a_freed_obligation_has_no_holder(box: Box):
    box.write(requested("p1"), PaymentNotSent(payment_id="p1", reason="operator_cancelled"))
    payment = box.queries.payment("p1")
    assert payment
    assert payment.not_sent_reason == "operator_cancelled"
    assert box.queries.payment_by_obligation(payment.obligation) is None


def test_many_threads_may_ask_at_once_while_the_journal_grows(box: Box):
    faults: list[object] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            status = box.queries.status()
            if status.unconfirmed_count * BILL_RIAL != status.unconfirmed_rial:
                faults.append(status)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    pay(box, 20)
    done.set()
    for thread in threads:
        thread.join(5)
    assert faults == []
    assert box.queries.status().unconfirmed_count == 20


def test_a_receipt_s_proof_is_of_the_log_as_central_cosigned_it(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"))
    assert box.queries.receipt_proof(3) is None
    central = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    witness = witness_key("central/witness", central.public_key().public_bytes_raw())
    note = parse_note(sign_checkpoint(box.queries, box.identity, box.signer, 4))
    cosigned = format_note(cosign(note, witness, central.sign, time_s=1_795_334_400))
    box.within(lambda view: view.update_exchange(cosigned_size=4, cosigned_note=cosigned))
    text = box.queries.receipt_proof(3)
    assert text is not None
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    payment = box.queries.payment("p1")
    assert payment is not None
    found = daftar_verify.check_bytes(
        lines,
        daftar_verify.Key("", box.signer.public_key, 1),
        daftar_verify.Key(witness.name, witness.public_key, 4),
        (payment.outcome_leaf or "")[:16],
    )
    assert [finding.holds for finding in found] == [True] * 4


@pytest.mark.parametrize("damage", ["state = 'nonsense'", "service = CAST(x'ff' AS TEXT)"])
def test_a_page_that_fails_at_a_damaged_row_leaves_nothing_open(box: Box, damage: str):
    pay(box, 3)
    connection = apsw.Connection(str(box.path))
    for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(f"UPDATE payment SET {damage} WHERE payment_id = 'p1'")  # noqa: S608 - a constant of ours
    # The failure is kept as a log or a cycle of its traceback keeps it.
    with pytest.raises(IntegrityError, match=r"store\.corrupt") as failed, box.queries.one_moment():
        box.queries.history.listed_at([1, 4, 7])
    box.write(requested("p9", obligation="bill:9:9"))
    assert failed.tb is not None
    assert box.queries.payment("p9") is not None, "what was written since is seen"
    ((busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not busy, "the WAL is brought into the file"


@pytest.mark.parametrize(
    ("table", "ask"),
    [
        ("person_permission", lambda queries: queries.permitted("sara")),
        ("refund", lambda queries: queries.refund("r1")),
        ("refund", lambda queries: queries.refunds_of("p1")),
        ("refund", lambda queries: queries.open_refunds()),
        ("acquirer_answer", lambda queries: queries.acquirer_answers("p1")),
        ("profile_bundle", lambda queries: queries.profile_bundles()),
        ("day_close", lambda queries: queries.receipt_names_sale("terminal-1", "1", 1)),
    ],
)
def test_whatever_of_the_file_cannot_be_read_is_said_to_be_damaged(
    box: Box, table: str, ask: Callable[[Queries], object]
):
    connection = apsw.Connection(str(box.path))
    connection.execute("PRAGMA legacy_alter_table = ON")
    connection.execute(f"ALTER TABLE {table} RENAME TO lost")
    connection.close()
    with pytest.raises(IntegrityError, match=r"store\.corrupt"):
        ask(box.queries)


def test_what_a_page_asks_within_one_moment_is_as_of_one_commit(box: Box):
    size = box.queries.size()
    with box.queries.one_moment():
        before = box.queries.size()
        box.write(requested("p1"))
        with box.queries.one_moment():
            assert box.queries.payment("p1") is None
        assert (before, box.queries.size()) == (size, size)
    assert box.queries.size() == size + 1
    assert box.queries.payment("p1") is not None
