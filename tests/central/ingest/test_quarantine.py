"""Two people end a quarantine: the box goes on with its next exchange, or its journal is retired; on PostgreSQL."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from central.fleet.enrolment import issue_code
from central.ingest import quarantine
from central.ingest.quarantine import Asker
from central.ledger.queries import payment
from central.ledger.receive import post_entries
from central.store import fleet
from central.store.books import money_case
from shared.errors import OperatorError
from tests.central.ingest.offices import OFFICE, Centre, exchange, leaves
from tests.central.ingest.test_real_box import Site, site
from tests.edge.store.boxes import approved, requested, sent
from tests.sync.models import BoxModel

pytestmark = pytest.mark.postgres
__all__ = ["site"]


def askers(centre: Centre, box: BoxModel) -> tuple[Asker, ...]:
    with centre.engine.connect() as connection:
        return quarantine.askers(connection, box.log.name)


def propose(centre: Centre, box: BoxModel, kind: str, asker: str = "", *, book_aside: bool = False) -> int:
    return quarantine.propose(
        centre.engine, box.log.name, kind=kind, asker=asker, book_aside=book_aside, reason="کارت نسخه‌برداری شده بود",
        by="mina", clock=centre.clock,
    )  # fmt: skip


def agree(centre: Centre, decision: int, by: str = "sara") -> quarantine.Decision:
    return quarantine.agree(centre.engine, decision, post_entries, by=by, clock=centre.clock)


def refused(attempt: object) -> str:
    with pytest.raises(OperatorError) as caught:
        attempt()  # type: ignore[operator]
    return caught.value.code


def open_alarms(centre: Centre) -> list[str]:
    with centre.engine.connect() as connection:
        return list(connection.execute(select(fleet.alarm.c.kind).where(fleet.alarm.c.closed_at.is_(None))).scalars())


def cases(centre: Centre) -> list[str]:
    with centre.engine.connect() as connection:
        return list(connection.execute(select(money_case.c.kind).order_by(money_case.c.ordinal)).scalars())


def lost_its_newest_exchange(centre: Centre) -> BoxModel:
    """A box whose disk forgot the newest answer: its log goes on, its token is spent."""
    box, receiver = centre.box(), centre.receiver(post_entries)
    box.write(2)
    exchange(box, receiver)
    image = box.image("restored")
    exchange(box, receiver)
    image.log.append(requested("p1"))
    image.log.append(sent("p1"))
    image.log.append(approved("p1"))
    assert exchange(image, receiver).status == "quarantined"
    return image


def test_a_box_that_goes_on_is_let_go_on_by_two_and_learns_it_at_its_next_exchange(centre: Centre) -> None:
    box, receiver = lost_its_newest_exchange(centre), centre.receiver(post_entries)
    (asker,) = askers(centre, box)
    assert (asker.goes_on, asker.size, asker.asked_count) == (True, 5, 1)
    decision = propose(centre, box, "go_on", asker.name)
    assert exchange(box, receiver).status == "quarantined", "one person decides nothing"
    assert refused(lambda: agree(centre, decision, by="mina")) == "quarantine.one_person"
    assert agree(centre, decision).state == "agreed"
    assert open_alarms(centre) == []

    box.log.append(requested("p2"))
    assert exchange(box, receiver).status == "resume", "what was held aside is asked for again"
    assert not box.quarantined
    answer = exchange(box, receiver)
    assert (answer.status, answer.cosigned_size) == ("ok", 6)
    with centre.engine.connect() as connection:
        assert leaves(connection, box.log.name) == box.log.leaves
        found = payment(connection, OFFICE, "p1")
    assert found is not None
    assert found.state == "approved", "what was held is booked with the main branch"
    assert (askers(centre, box), centre.alarms()) == ((), ["state_loss"])
    assert {place for _, place in centre.dispositions()} == {"accepted"}
    assert exchange(box, receiver).status == "ok"


async def test_a_real_box_takes_payments_again_once_two_people_let_it_go_on(site: Site, tmp_path: Path) -> None:
    box = site.start()
    await box.uplink.exchange_once()
    await box.stop()
    shutil.copytree(site.folder, tmp_path / "copy")
    box, copy = site.start(), site.start(tmp_path / "copy")
    box.write(requested("p1"))
    copy.write(requested("p2"))
    assert (await box.uplink.exchange_once()).kind == "ok"
    assert (await copy.uplink.exchange_once()).kind == "quarantined"
    assert (await box.uplink.exchange_once()).kind == "quarantined"
    await copy.stop()
    journal = site.enrolment.journal
    with site.centre.engine.connect() as connection:
        name = next(asker.name for asker in quarantine.askers(connection, journal) if asker.goes_on)
    decision = quarantine.propose(
        site.centre.engine, journal, kind="go_on", asker=name, book_aside=False, reason="x", by="mina",
        clock=site.centre.clock,
    )  # fmt: skip
    agree(site.centre, decision)
    assert box.queries.status().quarantined, "it learns it at its next exchange"
    kinds = [(await box.uplink.exchange_once()).kind for _ in range(2)]
    assert kinds in (["ok", "ok"], ["resume", "ok"])
    assert not box.queries.status().quarantined
    assert box.queries.status().cosigned_size == box.queries.status().size
    await box.stop()


def test_a_copy_that_asks_after_the_decision_is_found_again(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver(post_entries)
    box.write(2)
    exchange(box, receiver)
    clone = box.image("B")
    clone.write(3)
    box.write(1)
    exchange(box, receiver)
    assert exchange(clone, receiver).status == "quarantined"
    assert exchange(box, receiver).status == "quarantined"
    by_goes_on = {asker.goes_on: asker.name for asker in askers(centre, box)}
    assert len(by_goes_on) == 2
    assert refused(lambda: propose(centre, box, "go_on", by_goes_on[False])) == "quarantine.goes_elsewhere"
    assert refused(lambda: propose(centre, box, "go_on", "nobody")) == "quarantine.no_asker"
    agree(centre, propose(centre, box, "go_on", by_goes_on[True]))
    box.write(1)
    assert exchange(box, receiver).status == "ok"
    assert exchange(clone, receiver).status == "quarantined"
    assert open_alarms(centre) == ["clone_or_restored"]


@pytest.mark.parametrize("waits", [False, True])
def test_what_another_asker_wrote_beside_the_one_that_goes_on_is_booked_where_two_say_so(
    centre: Centre, *, waits: bool
) -> None:
    box, receiver = centre.box(), centre.receiver(post_entries)
    box.write(2)
    exchange(box, receiver)
    copy = box.image("copy")
    exchange(box, receiver)
    for name, one in (("1", copy), ("2", box)):
        for body in (requested(name, obligation=f"bill:{name}:{name}"), sent(name), approved(name)):
            one.log.append(body)
    assert exchange(copy, receiver).status == "quarantined"
    if not waits:
        assert exchange(box, receiver).status == "quarantined"
    goes_on = next(asker for asker in askers(centre, box) if (asker.token == box.token) is not waits)
    done = agree(centre, propose(centre, box, "go_on", goes_on.name, book_aside=True))
    # Neither contradicted the main branch when it came. Where only one asked, what it wrote is the main branch's.
    assert (done.booked_count, done.unbooked_count) == ((0, 0) if waits else (3, 0))
    taken = copy if waits else box
    assert [exchange(taken, receiver).status for _ in range(2)] == ["resume", "ok"]
    with centre.engine.connect() as connection:
        booked = [name for name in ("1", "2") if payment(connection, OFFICE, name) is not None]
    assert booked == (["1"] if waits else ["1", "2"])


def forked(centre: Centre) -> tuple[BoxModel, BoxModel]:
    """A box restored from an image: central knows three entries that it wrote otherwise."""
    box, receiver = centre.box(), centre.receiver(post_entries)
    box.write(2)
    exchange(box, receiver)
    image = box.image("restored")
    for body in (requested("old", obligation="bill:1:1"), sent("old")):
        box.log.append(body)
    exchange(box, receiver)
    for other in (requested("new", obligation="bill:2:2"), sent("new"), approved("new"), approved("unknown")):
        image.log.append(other)
    assert exchange(image, receiver).status == "quarantined"
    return box, image


def test_a_forked_journal_is_retired_its_branch_booked_and_its_successor_accepted(centre: Centre) -> None:
    box, image = forked(centre)
    receiver = centre.receiver(post_entries)
    for asker in askers(centre, box):
        assert refused(lambda name=asker.name: propose(centre, box, "go_on", name)) == "quarantine.goes_elsewhere"
    done = agree(centre, propose(centre, box, "retire", book_aside=True))
    assert (done.booked_count, done.unbooked_count) == (3, 1)
    with centre.engine.connect() as connection:
        new, old = payment(connection, OFFICE, "new"), payment(connection, OFFICE, "old")
    assert new is not None
    assert old is not None
    assert (new.state, old.state) == ("approved", "sent")
    assert cases(centre) == ["unposted", "left_in_doubt"]
    assert [place for _, place in centre.dispositions()].count("booked_aside") == 4
    image.write(1)
    assert exchange(image, receiver).status == "quarantined", "it never goes on"
    assert refused(lambda: propose(centre, box, "retire")) == "quarantine.not_in_it"

    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy, replaces="1")
    enrolled = centre.enrol("new key", code=code)
    assert (enrolled.predecessor, enrolled.journal) == (box.log.name, f"daftar.journal/{OFFICE}/1/2")
    successor = BoxModel(enrolled.token, journal=enrolled.journal, key_name="new key", feed=enrolled.feeds[0])
    successor.trust = enrolled.trust
    successor.write(2)
    assert exchange(successor, receiver).status == "ok"


def test_without_being_told_to_the_books_take_nothing_that_stands_aside(centre: Centre) -> None:
    box, _ = forked(centre)
    done = agree(centre, propose(centre, box, "retire"))
    assert (done.booked_count, done.unbooked_count) == (0, 0)
    with centre.engine.connect() as connection:
        assert payment(connection, OFFICE, "new") is None


def test_what_is_not_a_decision_is_refused(centre: Centre) -> None:
    box = centre.box()
    box.write(1)
    exchange(box, centre.receiver())
    assert refused(lambda: propose(centre, box, "retire")) == "quarantine.not_in_it"
    image = lost = lost_its_newest_exchange_of(centre, box)
    assert refused(lambda: propose(centre, image, "else")) == "quarantine.bad_kind"
    decision = propose(centre, lost, "retire")
    assert refused(lambda: propose(centre, lost, "retire")) == "quarantine.waits"
    with pytest.raises(IntegrityError, match="two_people"), centre.engine.begin() as connection:
        connection.execute(text("UPDATE quarantine_decision SET state = 'agreed', decided_by = 'mina'"))
    quarantine.drop(centre.engine, decision, by="mina", clock=centre.clock)
    assert refused(lambda: agree(centre, decision)) == "quarantine.no_decision"


def lost_its_newest_exchange_of(centre: Centre, box: BoxModel) -> BoxModel:
    image = box.image("restored")
    exchange(box, centre.receiver())
    exchange(image, centre.receiver())
    return image
