"""A box that takes over does not charge again what the one before charged: through a real central."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from central.fleet import feed
from central.fleet.enrolment import issue_code
from central.ledger import elsewhere
from central.ledger.cases import case_id
from central.ledger.elsewhere import posting_for_all, tell_newcomer
from central.ledger.left_behind import open_left_behind
from central.ledger.queries import trial_balance
from central.providers.connector import Refused
from central.providers.holding import Withdrawn, in_the_way
from central.reconciliation.closing import agree_closing, closings, propose_closing
from central.reconciliation.statements import agree_statement, propose_statement, statements
from central.store import journals
from central.store.books import money_case
from edge.journal.signer import FileSigner
from edge.journal.views import CentralLink, Identity
from edge.journal.writer import StoreView
from edge.services.payments.may_pay import CHECKS
from edge.store.creation import create_box
from edge.store.rebuild import rebuild_projections
from shared.errors import OperatorError
from shared.events import (
    FEED_BODIES,
    AcquirerAnswered,
    Body,
    ObligationsHeld,
    PaymentAcknowledged,
    PaymentInDoubt,
    PaymentNotSent,
    PaymentRefused,
    PaymentRequested,
    ReceiptPrinted,
    StatusQueried,
    decode_body,
)
from shared.journal.entry import decode_entry
from sync.enrolment import Enrolment
from tests.central.ingest.offices import OFFICE, Centre
from tests.central.ingest.test_real_box import CHANCE, RunningBox, drained
from tests.edge.store.boxes import approved, declined, requested, requested_of, sent
from tests.edge.uplink.servers import Day, make_app, serving
from tests.sync.models import SteppingClock, private_key

pytestmark = pytest.mark.postgres


class Town:
    """An office's boxes, each with a folder of its own, at one central."""

    def __init__(self, folder: Path, centre: Centre, url: str) -> None:
        self.folder, self.centre, self.url = folder, centre, url
        self.append = partial(feed.append, clock=centre.clock, signer=centre.keys.feed)

    def box(self, name: str, replaces: str | None = None) -> RunningBox:
        """Enrol a box, or one that takes over, and start it."""
        centre = self.centre
        code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=CHANCE, replaces=replaces)
        newcomer = partial(tell_newcomer, append_feed=self.append)
        enrolled = centre.enrol(name, code=code, replaced=open_left_behind, newcomer=newcomer)
        return RunningBox(self._make(name, enrolled), self.url, enrolled)

    def _make(self, name: str, enrolled: Enrolment) -> Path:
        folder = self.folder / name
        folder.mkdir()
        (folder / "box.key").write_bytes(private_key(name).private_bytes_raw())
        (folder / "box.key").chmod(0o600)
        signer = FileSigner.load(folder / "box.key")
        identity = Identity(
            office=enrolled.office,
            box=enrolled.box,
            journal_id=enrolled.journal,
            public_key=signer.public_key.hex(),
            central=CentralLink(url=self.url, trust=enrolled.trust, feeds=enrolled.feeds),
        )
        create_box(
            folder / "box.sqlite",
            identity,
            signer=signer,
            clock=SteppingClock(),
            entropy=CHANCE,
            software="test",
            token=enrolled.token,
            predecessor=enrolled.predecessor,
            predecessor_cosigned_size=enrolled.predecessor_cosigned_size,
            feed_size=enrolled.feed_size,
        )
        return folder

    def publish(self, *bodies: Body) -> None:
        with self.centre.engine.begin() as connection:
            for body in bodies:
                self.append(connection, feed.feeds_of(OFFICE)[0], body)


@pytest.fixture
def town(centre: Centre, tmp_path: Path) -> Iterator[Town]:
    append = partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
    with serving(make_app(Day(centre.receiver(posting_for_all(append)).receive))) as url:
        yield Town(tmp_path, centre, url)


def pays(name: str) -> PaymentRequested:
    return requested(f"new-{name}", obligation=f"bill:{name}:{name}")


def refusal(box: RunningBox, name: str) -> str:
    """Return why a bill is not charged at a box, empty where it would be."""

    def decide(view: StoreView) -> Sequence[Body]:
        for check in CHECKS:
            check(view, pays(name))
        return []

    try:
        box.writer.commit_blocking(decide)
    except OperatorError as error:
        return error.code
    return ""


def pay(box: RunningBox, name: str, *ends: Callable[[str], Body]) -> None:
    box.write(requested(f"old-{name}", obligation=f"bill:{name}:{name}"))
    for end in ends:
        box.write(end(f"old-{name}"))


def lost(payment_id: str) -> Body:
    return PaymentInDoubt(payment_id=payment_id, reason="no_answer")


async def test_what_the_one_before_charged_or_left_open_is_not_charged_by_its_successor(town: Town) -> None:
    old = town.box("old")
    pay(old, "1", sent, approved)
    pay(old, "2", sent, lost)
    pay(old, "3")
    pay(old, "4", sent, declined)
    old.write(requested_of("old-group", ["bill:5:5", "bill:6:6"]), sent("old-group"), approved("old-group"))
    assert await drained(old) == ["ok"]
    pay(old, "7", sent, approved)  # never sent to central

    new = town.box("new", replaces="1")
    assert {refusal(new, name) for name in "1234"} == {"payment.predecessor_unheard"}
    assert set(await drained(new)) == {"ok"}
    refused = {name: refusal(new, name) for name in "1234567"}
    held = "payment.held_elsewhere"
    assert refused == {"1": held, "2": held, "3": held, "4": "", "5": held, "6": held, "7": ""}
    with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
        new.write(pays("6"))
    (heard,) = new.queries.others.journals()
    assert (heard.journal, heard.is_predecessor, heard.held_count) == (new.queries.others.predecessor(), True, 4)
    assert heard.heard_at is not None

    # What it had not sent comes after all; and what it left open is settled.
    old.write(PaymentNotSent(payment_id="old-3", reason="restart"))
    assert set(await drained(old)) == {"ok"}
    town.publish(
        AcquirerAnswered(
            payment_id="old-2", charged=False, source="settlement", acquirer="psp", answered_at="2026-11-22T08:00:00Z"
        )
    )
    await drained(new)
    assert (await new.uplink.exchange_once()).kind == "ok"
    refused = {name: refusal(new, name) for name in "123457"}
    assert refused == {"1": held, "2": "", "3": "", "4": "", "5": held, "7": held}
    assert rebuild_projections(town.folder / "new" / "box.sqlite") == []

    # The one before is told to stop, and what it still says is taken.
    status = old.queries.status()
    assert status.quarantined
    assert [alarm.kind for alarm in status.alarms] == ["succeeded"]
    assert refusal(old, "8") == "payment.box_quarantined"
    for one in (old, new):
        await one.stop()


async def test_the_third_knows_of_the_first_and_a_lost_answer_to_the_enrolment_changes_nothing(town: Town) -> None:
    first = town.box("first")
    pay(first, "1", sent, approved)
    assert await drained(first) == ["ok"]
    second = town.box("second", replaces="1")
    pay(second, "2", sent, approved)
    await drained(second)
    third = town.box("third", replaces="1")
    await drained(third)
    assert {refusal(third, name) for name in "12"} == {"payment.held_elsewhere"}
    assert refusal(third, "3") == ""
    assert [one.is_predecessor for one in third.queries.others.journals()] == [True, False]
    for one in (first, second, third):
        await one.stop()


def whole(name: str, *parts: str) -> PaymentRequested:
    """The whole of an answer, made of other bills."""
    wanted = requested(f"whole-{name}", obligation=f"bill:{name}:{name}")
    covers = tuple(f"bill:{part}:{part}" for part in parts)
    return msgspec.structs.replace(wanted, service="traffic_fines", payable="total", inquiry_id="q", covers=covers)


async def test_a_part_of_what_another_box_charged_whole_is_not_charged_beside_it(town: Town) -> None:
    one, two = town.box("one"), town.box("two")
    await drained(two)
    one.write(whole("9", "1", "2"), sent("whole-9"), approved("whole-9"))
    one.write(whole("8", "3"), sent("whole-8"), declined("whole-8"))
    one.write(whole("7", "4"), sent("whole-7"), approved("whole-7"))
    await drained(one)
    await two.uplink.exchange_once()
    held = "payment.held_elsewhere"
    assert {name: refusal(two, name) for name in "12345789"} == dict.fromkeys("12479", held) | dict.fromkeys("358", "")
    # Money that the provider of the whole refused is owed back, and its parts are owed as before.
    refused = PaymentRefused(payment_id="whole-7", provider="police", track_id="c7", reason="refused", case_id="case-7")
    town.publish(refused)
    await two.uplink.exchange_once()
    assert (refusal(two, "4"), refusal(two, "7")) == ("", held)
    # A box that takes over hears the same.
    three = town.box("three", replaces="1")
    await drained(three)
    assert {name: refusal(three, name) for name in "1235"} == {"1": held, "2": held, "3": "", "5": ""}
    for name in ("two", "three"):
        assert rebuild_projections(town.folder / name / "box.sqlite") == []
    for box in (one, two, three):
        await box.stop()


async def test_two_boxes_of_one_office_hear_of_each_others_charges(town: Town) -> None:
    one, two = town.box("one"), town.box("two")
    await drained(two)
    assert refusal(two, "1") == ""
    pay(one, "1", sent, approved)
    pay(one, "2", sent, declined)
    await drained(one)
    await two.uplink.exchange_once()
    assert (refusal(two, "1"), refusal(two, "2")) == ("payment.held_elsewhere", "")
    # Its own payments come back to a box on the same feed and teach it nothing.
    pay(two, "3", sent, lost)
    await drained(two)
    await two.uplink.exchange_once()
    assert refusal(two, "3") == "payment.obligation_held"
    await one.uplink.exchange_once()
    assert refusal(one, "3") == "payment.held_elsewhere"
    for box in (one, two):
        assert not box.queries.status().quarantined
        await box.stop()


def told_held(town: Town) -> list[ObligationsHeld]:
    """What the office's feed says of what its journals hold."""
    with town.centre.engine.connect() as connection:
        entries = [decode_entry(signed.data) for signed in feed.read(connection, feed.feeds_of(OFFICE)[0], 0, 100)]
    bodies = [decode_body(entry.type, bytes(entry.body), FEED_BODIES) for entry in entries]
    return [body for body in bodies if isinstance(body, ObligationsHeld)]


async def test_a_box_beside_another_is_told_only_what_holds_otherwise_than_it_was_told(town: Town) -> None:
    one, two = town.box("one"), town.box("two")
    pay(one, "1", sent, approved)
    await drained(one)
    before = told_held(town)
    assert [held.payment_id for held in before[-1].payments] == ["old-1"]
    # The terminal was told to keep the sale, one that never charged began and ended, and something that is no payment.
    one.write(PaymentAcknowledged(payment_id="old-1"))
    await drained(one)
    pay(one, "2", sent, declined)
    one.write(ReceiptPrinted(job_id="j", document="receipt", about="old-1", copy=False))
    await drained(one)
    assert told_held(town) == before
    # Each such word would be an entry of both journals, to be read over a slow line.
    for box in (one, two):
        await drained(box)
        await box.stop()


async def test_a_successor_knows_until_when_the_one_before_was_heard_though_that_one_holds_nothing(town: Town) -> None:
    first = town.box("first")
    await drained(first)
    second = town.box("second", replaces="1")
    await drained(second)
    (heard,) = second.queries.others.journals()
    assert (heard.is_predecessor, heard.held_count) == (True, 0)
    # The box that is gone speaks once more, of no payment: that it was heard is said once, and not of that word again.
    first.write(ReceiptPrinted(job_id="j", document="ticket", about="x", copy=False))
    await drained(first)
    await second.uplink.exchange_once()
    (later,) = second.queries.others.journals()
    assert later.heard_size > heard.heard_size
    # What the successor does is told to nobody: no other box of the office is there to hear it.
    before = told_held(town)
    pay(second, "1", sent, approved)
    await drained(second)
    assert told_held(town) == before
    # Of the first, which held nothing and says nothing any more, the third is told nothing.
    third = town.box("third", replaces="1")
    await drained(third)
    assert [held.journal for held in told_held(town)[len(before) :]] == [third.queries.others.predecessor()]
    assert refusal(third, "1") == "payment.held_elsewhere"
    for box in (first, second, third):
        await box.stop()


def test_an_offices_first_box_waits_for_nothing(centre: Centre) -> None:
    append = partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
    assert centre.enrol(newcomer=partial(tell_newcomer, append_feed=append)).feed_size == 0
    assert centre.enrol("next", newcomer=partial(tell_newcomer, append_feed=append)).feed_size == 2


async def test_a_newcomer_is_told_what_an_exchange_beside_its_enrolment_brings(town: Town) -> None:
    one = town.box("one")
    engine, journal = town.centre.engine, one.queries.identity().journal_id
    row = select(journals.journal).where(journals.journal.c.journal_id == journal).with_for_update()
    with engine.begin() as exchange, engine.begin() as enrolment:
        exchange.execute(row)  # as each exchange does: it does not know of the newcomer yet
        enrolment.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            tell_newcomer(enrolment, OFFICE, "newcomer", None, town.append)
        enrolment.rollback()
    await one.stop()


async def test_all_that_a_journal_holds_is_told_in_entries_that_fit(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "PIECE_SIZE_MAX_BYTES", 2_000)
    monkeypatch.setattr(elsewhere, "BATCH", 3)
    old = town.box("old")
    names = [str(number) for number in range(1, 21)]
    for name in names:
        pay(old, name, sent, lost if name == "1" else approved)
    await drained(old)
    new = town.box("new", replaces="1")
    await drained(new)
    assert {refusal(new, name) for name in names} == {"payment.held_elsewhere"}
    with town.centre.engine.connect() as connection:
        told = [
            decode_body(entry.type, bytes(entry.body), FEED_BODIES)
            for signed in feed.read(connection, feed.feeds_of(OFFICE)[0], 0, 100)
            if (entry := decode_entry(signed.data)).type == ObligationsHeld.type
        ]
    held = [[one.payment_id for one in body.payments] for body in told if isinstance(body, ObligationsHeld)]
    assert len(held) > 3
    # What is open comes first, then the newest.
    assert [name for piece in held for name in piece] == ["old-1", *(f"old-{name}" for name in reversed(names[1:]))]
    for box in (old, new):
        await box.stop()


def stated(town: Town, payment_id: str, *, charged: bool) -> None:
    """Let two people of finance say what the acquirer said."""
    engine, clock = town.centre.engine, town.centre.clock
    rrn = "123456789012" if charged else ""
    propose_statement(engine, OFFICE, payment_id, charged=charged, rrn=rrn, reason="x", by="mina", clock=clock)
    with engine.connect() as connection:
        number = statements(connection, OFFICE, payment_id)[-1].statement_id
    agree_statement(engine, number, town.append, by="sara", clock=clock)


def cases_of(town: Town, payment_id: str) -> dict[str, str]:
    table = money_case.c
    query = select(table.kind, table.state).where(table.payment_id == payment_id)
    with town.centre.engine.connect() as connection:
        return {row.kind: row.state for row in connection.execute(query)}


def sent_with_ids(payment_id: str) -> Body:
    """To a terminal that was told the bill's ids, and pays it."""
    return msgspec.structs.replace(sent(payment_id), pays_bill=True)


def waits_for(town: Town, payment_id: str) -> object:
    """Return what stands in the way of asking the provider about a payment."""
    with town.centre.engine.begin() as connection:
        return in_the_way(connection, OFFICE, payment_id)


async def test_what_a_dead_box_had_under_way_is_settled_by_two_people_and_by_what_it_says_later(town: Town) -> None:
    old = town.box("old")
    pay(old, "1", sent_with_ids)
    for name in "234":
        pay(old, name, *([sent] if name != "4" else []))
    assert await drained(old) == ["ok"]
    new = town.box("new", replaces="1")
    await drained(new)
    held = "payment.held_elsewhere"
    assert {refusal(new, name) for name in "1234"} == {held}
    stated(town, "old-1", charged=False)
    stated(town, "old-2", charged=True)
    stated(town, "old-4", charged=False)
    await drained(new)
    assert {name: refusal(new, name) for name in "1234"} == {"1": "", "2": held, "3": held, "4": ""}
    new.write(pays("1"), sent("new-1"), approved("new-1"))
    await drained(new)
    assert all(cases_of(town, f"old-{name}") == {"left_in_doubt": "open"} for name in "1234")

    assert cases_of(town, "new-1") == {}, "nobody may have paid it twice"
    assert waits_for(town, "new-1") is None, "nor did the terminal pay the bill"

    # It comes back: its terminal had charged the first and the third, and not the second; the fourth never left.
    old.write(approved("old-1"), declined("old-2"), approved("old-3"), PaymentNotSent(payment_id="old-4", reason="x"))
    old.write(requested("old-5", obligation="bill:5:5"), sent("old-5"), lost("old-5"))
    assert set(await drained(old)) == {"ok"}
    done = {"left_in_doubt": "closed"}
    assert waits_for(town, "new-1") == Refused(reason="already_paid")
    assert cases_of(town, "old-1") == {**done, "late_approval": "open", "refund": "open"}, "charged at both boxes"
    assert cases_of(town, "old-2") == {"left_in_doubt": "open"}, "the acquirer knows of a charge and the box does not"
    assert all(cases_of(town, f"old-{name}") == done for name in "34")
    assert cases_of(town, "old-5") == {"left_in_doubt": "open"}, "heard of only now"
    await drained(new)
    # A charge counts whoever speaks of it: the acquirer's word of the second one stands.
    assert {name: refusal(new, name) for name in "2345"} == {"2": held, "3": held, "4": "", "5": held}
    assert refusal(new, "1") == "payment.obligation_held", "its own"
    for box in (old, new):
        await box.stop()


async def test_news_of_a_dead_box_opens_a_case_again_that_a_person_had_ended(town: Town) -> None:
    old = town.box("old")
    pay(old, "1", sent, lost)
    await drained(old)
    new = town.box("new", replaces="1")
    named = case_id("left_in_doubt", f"{OFFICE}|old-1")
    clock = town.centre.clock
    assert propose_closing(town.centre.engine, named, outcome="explained", reason="x", by="mina", clock=clock)
    old.write(StatusQueried(payment_id="old-1", outcome="no_answer"))
    await drained(old)
    assert cases_of(town, "old-1") == {"left_in_doubt": "closed"}, "no news"
    old.write(approved("old-1"))
    await drained(old)
    assert cases_of(town, "old-1") == {"left_in_doubt": "open"}
    old.write(PaymentAcknowledged(payment_id="old-1"))
    await drained(old)
    assert cases_of(town, "old-1") == {"left_in_doubt": "open"}
    for box in (old, new):
        await box.stop()


async def test_a_bill_whose_customer_finance_had_paid_is_not_paid_when_its_dead_box_tells_of_the_charge(
    town: Town,
) -> None:
    old = town.box("old")
    pay(old, "1", sent)
    pay(old, "2", sent, lost)
    await drained(old)
    new = town.box("new", replaces="1")
    engine, clock = town.centre.engine, town.centre.clock
    for name in "12":
        named = case_id("left_in_doubt", f"{OFFICE}|old-{name}")
        propose_closing(engine, named, outcome="refunded", reason="x", by="mina", clock=clock)
        with engine.connect() as connection:
            closing = closings(connection, named)[-1].closing_id
        agree_closing(engine, named, closing, by="sara", clock=clock)
    old.write(approved("old-1"), approved("old-2"))
    await drained(old)
    for name in "12":
        in_the_way_now = waits_for(town, f"old-{name}")
        assert isinstance(in_the_way_now, Withdrawn), "the customer has the money"
        assert in_the_way_now.case_id == case_id("left_in_doubt", f"{OFFICE}|old-{name}")
        assert cases_of(town, f"old-{name}") == {"left_in_doubt": "closed"}
    with engine.connect() as connection:
        held = {account.code: account.balance_rial for account in trial_balance(connection).accounts}
    # What was a loss while nobody knew of the charge came out of it after all.
    assert (held["losses"], held["unconfirmed"]) == (0, 0)
    assert held["paid_out"] == sum(rial for code, rial in held.items() if code.startswith("receivable"))
    for box in (old, new):
        await box.stop()
