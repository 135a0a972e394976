"""A real box's file and uplink against the real receiver, over HTTP: the spine from journal to books and back."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from central.fleet import feed
from central.fleet.enrolment import enrol, issue_code
from central.ledger.left_behind import open_left_behind
from central.ledger.receive import post_entries
from central.store.books import money_case, office_payment
from central.store.journals import journal, journal_key
from edge.journal.signer import FileSigner
from edge.journal.views import CentralLink, Identity
from edge.journal.writer import JournalWriter
from edge.services.journal.close_journal import close_journal
from edge.services.journal.rotate_key import rotate_key
from edge.store.creation import create_box
from edge.store.exchange_store import SqliteExchangeStore
from edge.store.journal_store import SqliteJournalStore
from edge.store.queries import Queries
from edge.uplink.client import Uplink, UplinkSettings
from shared.entropy import SystemEntropy
from shared.events import AcquirerAnswered, AlarmRaised, Body, JournalOpened, NoticePublished, PaymentConfirmed
from shared.journal.entry import decode_entry
from sync.enrolment import Enrolment, enrolment_request, read_enrolment
from tests.central.ingest.offices import OFFICE, Centre
from tests.edge.store.boxes import approved, requested, sent
from tests.edge.uplink.servers import Day, make_app, serving
from tests.sync.models import SteppingClock, private_key

pytestmark = pytest.mark.postgres

CHANCE = SystemEntropy()


class RunningBox:
    """A box on a folder, from start to kill."""

    def __init__(self, folder: Path, url: str, enrolment: Enrolment) -> None:
        self.clock = SteppingClock()
        signer = FileSigner.load(folder / "box.key")
        path = folder / "box.sqlite"
        self.store = SqliteJournalStore.open(path, self.clock, CHANCE)
        self.writer = JournalWriter(self.store, signer, self.clock, CHANCE)
        self.writer.start()
        self.queries = Queries(path)
        self.exchange = SqliteExchangeStore(self.queries, self.writer)
        self.uplink = Uplink(
            UplinkSettings(central_url=url),
            journal_id=enrolment.journal,
            boot=self.writer.boot,
            trust=enrolment.trust,
            store=self.exchange,
            journal=self.queries,
            signer=signer,
            clock=self.clock,
            entropy=CHANCE,
        )

    def write(self, *bodies: Body) -> None:
        self.writer.commit_blocking(lambda _: bodies)

    async def stop(self) -> None:
        await self.uplink.close()
        self.queries.close()
        self.writer.close()
        self.store.close()


class Site:
    """An enrolled box's folder and the line to central, with its bad days."""

    def __init__(self, folder: Path, centre: Centre, url: str, day: Day) -> None:
        self.folder, self.centre, self.url, self.day = folder, centre, url, day
        signer = FileSigner.create(folder / "box.key", CHANCE)
        code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=CHANCE)
        request = enrolment_request(
            code=code, public_key=signer.public_key, software="test", entropy=CHANCE, sign=signer.sign
        )
        answer = enrol(centre.engine, request, keys=centre.keys, clock=centre.clock, entropy=CHANCE)
        self.enrolment = read_enrolment(answer, request_wire=request)
        create_box(
            folder / "box.sqlite",
            Identity(
                office=self.enrolment.office,
                box=self.enrolment.box,
                journal_id=self.enrolment.journal,
                public_key=signer.public_key.hex(),
                central=CentralLink(url=url, trust=self.enrolment.trust, feeds=self.enrolment.feeds),
            ),
            signer=signer,
            clock=SteppingClock(),
            entropy=CHANCE,
            software="test",
            token=self.enrolment.token,
        )

    def succeed(self, enrolment: Enrolment, key_name: str) -> Path:
        """Make the box that takes over, in a folder of its own."""
        folder = self.folder.with_name("successor")
        folder.mkdir()
        (folder / "box.key").write_bytes(private_key(key_name).private_bytes_raw())
        (folder / "box.key").chmod(0o600)
        signer = FileSigner.load(folder / "box.key")
        create_box(
            folder / "box.sqlite",
            Identity(
                office=enrolment.office,
                box=enrolment.box,
                journal_id=enrolment.journal,
                public_key=signer.public_key.hex(),
                central=CentralLink(url=self.url, trust=enrolment.trust, feeds=enrolment.feeds),
            ),
            signer=signer,
            clock=SteppingClock(),
            entropy=CHANCE,
            software="test",
            token=enrolment.token,
            predecessor=enrolment.predecessor,
            predecessor_cosigned_size=enrolment.predecessor_cosigned_size,
        )
        return folder

    def start(self, folder: Path | None = None) -> RunningBox:
        return RunningBox(folder or self.folder, self.url, self.enrolment)


@pytest.fixture
def site(centre: Centre, tmp_path: Path) -> Iterator[Site]:
    day = Day(centre.receiver(post_entries).receive)
    with serving(make_app(day)) as url:
        folder = tmp_path / "box"
        folder.mkdir()
        yield Site(folder, centre, url, day)


async def test_a_payment_is_booked_at_central_and_its_confirmation_comes_back(site: Site) -> None:
    box = site.start()
    box.write(requested("p1"))
    box.write(sent("p1"))
    box.write(approved("p1"))
    result = await box.uplink.exchange_once()
    assert (result.kind, result.sent_count) == ("ok", 4)
    with site.centre.engine.connect() as connection:
        rows = connection.execute(select(office_payment.c.payment_id, office_payment.c.state)).all()
    assert rows == [("p1", "approved")]
    confirmed = PaymentConfirmed(
        payment_id="p1", provider="billing", track_id="t", provider_reference="r", confirmed_at="2026-11-22T08:00:00Z"
    )
    feed.append_now(
        site.centre.engine, feed.feeds_of(OFFICE)[0], confirmed, clock=site.centre.clock, signer=site.centre.keys.feed
    )
    result = await box.uplink.exchange_once()
    assert result.received_count == 2
    payment = box.queries.payment("p1")
    assert payment is not None
    assert (payment.confirmation, payment.cosigned) == ("confirmed", True)
    # That the feed was received is an entry itself; once it is cosigned all is quiet.
    assert (await box.uplink.exchange_once()).sent_count == 1
    assert (await box.uplink.exchange_once()).sent_count == 0
    status = box.queries.status()
    assert status.size == status.cosigned_size == 5
    assert site.centre.alarms() == []
    await box.stop()


@pytest.mark.parametrize("mood", ["500 before", "500 after", "cut", "html"])
async def test_a_box_cut_off_in_an_exchange_and_restarted_loses_and_doubles_nothing(site: Site, mood: str) -> None:
    box = site.start()
    box.write(requested("p1"))
    site.day.moods = [mood]
    assert (await box.uplink.exchange_once()).kind == "failed"
    await box.stop()
    box = site.start()
    box.write(sent("p1"), approved("p1"))
    assert (await box.uplink.exchange_once()).kind == "ok"
    assert (await box.uplink.exchange_once()).kind == "ok"
    assert site.day.arrived[0] == site.day.arrived[1]
    assert box.queries.status().cosigned_size == 4
    assert site.centre.alarms() == []
    assert [disposition for _, disposition in site.centre.dispositions()] == ["accepted"] * 4
    await box.stop()


async def test_a_copied_card_is_noticed_and_the_box_stops_taking_payments(site: Site, tmp_path: Path) -> None:
    box = site.start()
    await box.uplink.exchange_once()
    await box.stop()
    copy = tmp_path / "copy"
    shutil.copytree(site.folder, copy)
    first, second = site.start(), site.start(copy)
    first.write(requested("p1"))
    second.write(requested("p2"))
    assert (await first.uplink.exchange_once()).kind == "ok"
    assert (await second.uplink.exchange_once()).kind == "quarantined"
    assert (await first.uplink.exchange_once()).kind == "quarantined"
    assert site.centre.alarms() == ["clone"]
    for one in (first, second):
        assert one.queries.status().quarantined
        assert [alarm.kind for alarm in one.queries.status().alarms] == ["quarantined"]
        await one.stop()


async def rotate(site: Site, box: RunningBox, folder: Path | None = None) -> RunningBox:
    """Stop the box, give it a new key and start it again."""
    await box.stop()
    at = folder or site.folder
    rotate_key(at / "box.sqlite", at / "box.key", clock=SteppingClock(), entropy=CHANCE)
    return site.start(at)


async def drained(box: RunningBox) -> list[str]:
    """Exchange until all is cosigned; return what each exchange came to."""
    kinds: list[str] = [(await box.uplink.exchange_once()).kind]
    while box.queries.status().unsent_count and kinds[-1] == "ok":
        kinds.append((await box.uplink.exchange_once()).kind)
    return kinds


async def test_central_follows_a_new_key_from_the_middle_of_a_backlog(site: Site) -> None:
    box = site.start()
    assert await drained(box) == ["ok"]
    for name in range(300):
        box.write(AlarmRaised(kind="test", detail=str(name)))
    box = await rotate(site, box)
    box.write(requested("p1"))
    # The first window ends before the rotation: central checks the new key without having seen its entry stored.
    assert await drained(box) == ["ok", "ok"]
    box = await rotate(site, box)
    box.write(sent("p1"), approved("p1"))
    assert await drained(box) == ["ok"]
    assert site.centre.alarms() == []
    assert {disposition for _, disposition in site.centre.dispositions()} == {"accepted"}
    with site.centre.engine.connect() as connection:
        assert [row.state for row in connection.execute(select(office_payment))] == ["approved"]
        keys = connection.execute(select(journal_key.c.entry_index).order_by(journal_key.c.entry_index)).scalars().all()
    assert list(keys) == list(box.queries.rotations()) == [301, 303]
    await box.stop()


@pytest.mark.parametrize("mood", ["500 before", "500 after"])
async def test_a_request_kept_from_before_a_rotation_gets_its_answer(site: Site, mood: str) -> None:
    box = site.start()
    box.write(requested("p1"))
    site.day.moods = [mood]
    assert (await box.uplink.exchange_once()).kind == "failed"
    box = await rotate(site, box)
    assert await drained(box) == ["ok", "ok"]
    assert site.day.arrived[0] == site.day.arrived[1]
    assert site.centre.alarms() == []
    await box.stop()


async def test_a_copy_with_the_former_key_is_told_to_stop_and_the_box_goes_on(site: Site, tmp_path: Path) -> None:
    box = site.start()
    assert await drained(box) == ["ok"]
    await box.stop()
    copy = tmp_path / "copy"
    shutil.copytree(site.folder, copy)
    box = await rotate(site, site.start())
    assert await drained(box) == ["ok"]
    thief = site.start(copy)
    thief.write(requested("p2"))
    assert (await thief.uplink.exchange_once()).kind == "quarantined"
    assert thief.queries.status().quarantined
    assert site.centre.alarms() == ["former_key"]
    box.write(requested("p1"))
    assert await drained(box) == ["ok"]
    assert not box.queries.status().quarantined
    # A copy that rotates to a key of its own is no better.
    thief = await rotate(site, thief, copy)
    assert (await thief.uplink.exchange_once()).kind == "quarantined"
    assert await drained(box) == ["ok"]
    assert site.centre.alarms() == ["former_key"]
    with site.centre.engine.connect() as connection:
        assert [row.payment_id for row in connection.execute(select(office_payment))] == ["p1"]
    for one in (box, thief):
        await one.stop()


def end(site: Site) -> tuple[int, tuple[str, ...]]:
    """Close the journal of a box that is off."""
    return close_journal(
        site.folder / "box.sqlite",
        site.folder / "box.key",
        reason="replaced",
        operator="maryam",
        software="test",
        clock=SteppingClock(),
        entropy=CHANCE,
    )


def publish(site: Site, *words: Body) -> None:
    """Let central say something to the office."""
    for word in words:
        feed.append_now(
            site.centre.engine,
            feed.feeds_of(OFFICE)[0],
            word,
            clock=site.centre.clock,
            signer=site.centre.keys.feed,
        )


def cases(site: Site) -> list[tuple[str, str]]:
    with site.centre.engine.connect() as connection:
        rows = connection.execute(select(money_case.c.kind, money_case.c.payment_id)).all()
    return [(row.kind, row.payment_id) for row in rows]


async def ended(site: Site) -> int:
    """Close a journal with one payment charged and one in doubt; return its size."""
    box = site.start()
    box.write(requested("p1", obligation="bill:1:1"), sent("p1"), approved("p1"))
    box.write(requested("p2", obligation="bill:2:2"), sent("p2"))
    assert await drained(box) == ["ok"]
    await box.stop()
    size, left = end(site)
    assert left == ("p2",)
    return size


async def test_a_closed_journal_is_handed_over_and_what_it_left_in_doubt_becomes_a_case(site: Site) -> None:
    size = await ended(site)
    box = site.start()
    publish(site, NoticePublished(notice_id="n", title="t", text="x"))
    assert await drained(box) == ["ok"]
    result = await box.uplink.exchange_once()
    assert (result.kind, result.received_count, result.backlog) == ("ok", 0, False)
    assert (box.queries.size(), box.queries.status().cosigned_size) == (size, size)
    await box.stop()
    with site.centre.engine.connect() as connection:
        row = connection.execute(select(journal)).one()
    assert (row.closed_reason, row.closed_at is not None) == ("replaced", True)
    assert cases(site) == [("left_in_doubt", "p2")]


async def test_the_successor_names_the_journal_before_and_carries_what_the_feed_says_of_it(site: Site) -> None:
    size = await ended(site)
    box = site.start()
    assert await drained(box) == ["ok"]
    await box.stop()
    code = issue_code(site.centre.engine, OFFICE, clock=site.centre.clock, entropy=CHANCE, replaces=site.enrolment.box)
    following = site.centre.enrol("next", code=code, replaced=open_left_behind)
    assert (following.predecessor, following.predecessor_cosigned_size) == (site.enrolment.journal, size)
    assert cases(site) == [("left_in_doubt", "p2")]
    at = "2026-11-22T08:00:00Z"
    publish(
        site,
        PaymentConfirmed(payment_id="p1", provider="billing", track_id="t", provider_reference="r", confirmed_at=at),
        AcquirerAnswered(payment_id="p2", charged=True, source="settlement", acquirer="psp", answered_at=at),
    )
    box = RunningBox(site.succeed(following, "next"), site.url, following)
    assert await drained(box) == ["ok", "ok"]
    (opened, _), *_ = box.queries.entries(0, 1)
    body = msgspec.json.decode(decode_entry(opened).body, type=JournalOpened)
    assert (body.predecessor, body.predecessor_cosigned_size) == (site.enrolment.journal, size)
    assert [answer.payment_id for answer in box.queries.acquirer_answers()] == ["p2"]
    assert box.queries.payments(None, 10) == []
    assert site.centre.alarms() == []
    await box.stop()
