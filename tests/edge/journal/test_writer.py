import asyncio
import threading
from collections.abc import Sequence
from itertools import pairwise

import apsw
import pytest

from edge.journal.verify import verify_journal
from edge.journal.writer import Head, JournalWriter, Recorded, StoreView
from edge.store.database import open_for_writing
from shared.errors import BugError, DeviceError, IntegrityError, OperatorError
from shared.events import AlarmRaised, Body, FeedOpened
from shared.journal.entry import JOURNAL_PAYLOAD, check_signature, decode_entry
from tests.edge.store.boxes import JOURNAL, OFFICE_FEED, Box, approved, requested, sent


def alarm(detail: str) -> AlarmRaised:
    return AlarmRaised(kind="test", detail=detail)


def test_an_entry_carries_when_where_and_what(box: Box):
    (recorded,) = box.write(alarm("قبض"))
    pair = box.queries.entry(recorded.index)
    assert pair
    data, signature = pair
    check_signature(box.signer.public_key, JOURNAL_PAYLOAD, data, signature)
    entry = decode_entry(data)
    assert entry == recorded.entry
    assert (entry.journal, entry.index, entry.boot) == (JOURNAL, 1, box.writer.boot)
    assert (entry.at, entry.monotonic_ms, entry.clock) == ("2026-11-22T08:00:00.000Z", 1_000, "ntp")
    assert bytes(entry.body) == '{"kind":"test","payment_id":null,"detail":"قبض"}'.encode()
    assert recorded.leaf == box.queries.node(0, 1)


async def test_many_at_once_are_each_written_once_in_one_order(box: Box):
    tasks, commits = 8, 40
    heard: list[Recorded] = []
    all_heard = threading.Event()

    def listen(records: Sequence[Recorded]) -> None:
        heard.extend(records)
        if len(heard) == tasks * commits:
            all_heard.set()

    box.writer.subscribe(listen)

    async def work(name: int) -> list[Recorded]:
        mine = []
        for count in range(commits):
            mine += await box.writer.commit(lambda _, count=count: [alarm(f"{name}/{count}")])  # type: ignore[misc]
        return mine

    done = await asyncio.gather(*(work(name) for name in range(tasks)))
    assert await asyncio.to_thread(all_heard.wait, 5)
    indices = sorted(recorded.index for mine in done for recorded in mine)
    assert indices == list(range(1, tasks * commits + 1))
    assert [recorded.index for recorded in heard] == indices
    for name, mine in enumerate(done):
        assert all(earlier.index < later.index for earlier, later in pairwise(mine))
        assert [recorded.body for recorded in mine] == [alarm(f"{name}/{count}") for count in range(commits)]
    assert verify_journal(box.queries, JOURNAL, box.signer.public_key) == 1 + tasks * commits


async def test_decisions_that_wait_together_share_one_transaction(box: Box):
    began, go_on = threading.Event(), threading.Event()

    def hold(_: StoreView) -> Sequence[Body]:
        began.set()
        assert go_on.wait(5)
        return [alarm("held")]

    groups: list[int] = []
    box.writer.subscribe(lambda records: groups.append(len(records)))
    first = asyncio.create_task(box.writer.commit(hold))
    assert await asyncio.to_thread(began.wait, 5)
    rest = [asyncio.create_task(box.writer.commit(lambda _: [alarm("x")])) for _ in range(20)]
    refused = asyncio.create_task(box.writer.commit(lambda _: [sent("nobody")]))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *rest)
    with pytest.raises(BugError):
        await refused
    box.writer.close()
    assert groups == [1, 20]


def test_a_decision_that_raises_writes_nothing_and_stops_nobody(box: Box):
    def raises(view: StoreView) -> Sequence[Body]:
        view.update_exchange(last_error="written before the error")
        raise OperatorError("bill.check_digit", field="bill_id")

    with pytest.raises(OperatorError) as caught:
        box.writer.commit_blocking(raises)
    assert (caught.value.code, caught.value.field) == ("bill.check_digit", "bill_id")
    assert box.queries.size() == 1
    assert box.queries.status().last_exchange_error is None
    assert box.write(alarm("next"))[0].index == 1


def test_a_feed_that_does_not_verify_does_not_stop_the_counter(box: Box):
    with pytest.raises(IntegrityError) as caught:
        box.receive(OFFICE_FEED, [(box.central.office.say(FeedOpened(public_key="00"))[0], b"x" * 64)])
    assert caught.value.code == "signature.wrong"
    assert box.writer.failure is None
    assert box.write(alarm("next"))[0].index == 1


def test_a_decision_sees_those_of_its_own_group_before_it(box: Box):
    seen: list[str | None] = []

    def first(_: StoreView) -> Sequence[Body]:
        return [requested("p1"), sent("p1")]

    def second(view: StoreView) -> Sequence[Body]:
        payment = view.payment("p1")
        seen.append(str(payment.state) if payment else None)
        return [approved("p1")]

    box.writer.commit_blocking(first)
    box.writer.commit_blocking(second)
    assert seen == ["sent"]


async def test_one_of_many_wins_an_obligation(box: Box):
    async def pay(name: str) -> str:
        def decide(view: StoreView) -> Sequence[Body]:
            if holder := view.holder_of(requested(name).obligation):
                raise OperatorError("payment.obligation_held", payment_id=holder.payment_id)
            return [requested(name)]

        try:
            await box.writer.commit(decide)
        except OperatorError as error:
            return str(error.data["payment_id"])
        return name

    winners = await asyncio.gather(*(pay(f"p{count}") for count in range(30)))
    assert len(set(winners)) == 1


async def test_a_caller_that_gave_up_before_its_turn_writes_nothing(box: Box):
    began, go_on = threading.Event(), threading.Event()

    def hold(_: StoreView) -> Sequence[Body]:
        began.set()
        assert go_on.wait(5)
        return []

    first = asyncio.create_task(box.writer.commit(hold))
    assert await asyncio.to_thread(began.wait, 5)
    second = asyncio.create_task(box.writer.commit(lambda _: [alarm("given up")]))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first
    box.writer.close()
    assert box.queries.size() == 1


def test_a_full_disk_fails_all_who_wait_and_stops_the_writer(box: Box):
    # The pager's own limit gives the same error from the same place as a medium without room.
    connection = box.store._connection
    (pages,) = next(connection.execute("PRAGMA page_count"))
    connection.execute(f"PRAGMA max_page_count = {pages}")
    size = box.queries.size()
    failure: DeviceError | None = None
    while failure is None:
        try:
            box.write(alarm("x" * 5_000))
            size += 1
        except DeviceError as error:
            failure = error
    assert failure.code == "journal.not_written"
    assert isinstance(failure.__cause__, apsw.FullError)
    assert box.writer.failure is failure
    with pytest.raises(DeviceError) as refused:
        box.write(alarm("later"))
    assert refused.value.code == "journal.stopped"
    assert box.queries.size() == size
    assert verify_journal(box.queries, JOURNAL, box.signer.public_key) == size


def test_those_who_wait_behind_a_failure_are_told(box: Box):
    began, go_on = threading.Event(), threading.Event()
    connection = box.store._connection

    def hold(_: StoreView) -> Sequence[Body]:
        began.set()
        assert go_on.wait(5)
        raise apsw.IOError("the card was pulled out")

    answers: list[Exception] = []

    def call(decision: int) -> None:
        try:
            box.writer.commit_blocking(hold if decision == 0 else lambda _: [alarm("behind")])
        except DeviceError as error:
            answers.append(error)

    threads = [threading.Thread(target=call, args=(0,))]
    threads[0].start()
    assert began.wait(5)
    threads += [threading.Thread(target=call, args=(count,)) for count in range(1, 5)]
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert {error.code for error in answers if isinstance(error, DeviceError)} == {
        "journal.not_written",
        "journal.stopped",
    }
    assert len(answers) == 5
    assert not connection.in_transaction


def test_what_was_handed_in_before_closing_is_written(box: Box):
    for count in range(10):
        box.writer._hand_in(lambda _, count=count: [alarm(str(count))])  # type: ignore[misc]
    box.writer.close()
    box.writer.close()
    assert box.queries.size() == 11
    with pytest.raises(BugError) as caught:
        box.write(alarm("late"))
    assert caught.value.code == "journal.closed"


@pytest.mark.faults("a listener of the journal failed")
def test_a_listener_that_fails_harms_nobody(box: Box):
    heard: list[int] = []

    def fails(_: Sequence[Recorded]) -> None:
        raise ZeroDivisionError

    box.writer.subscribe(fails)
    box.writer.subscribe(lambda records: heard.append(len(records)))
    box.write(alarm("a"))
    box.write(alarm("b"))
    box.writer.close()
    assert heard == [1, 1]


def test_an_entry_too_large_is_refused(box: Box):
    with pytest.raises(BugError) as caught:
        box.write(alarm("x" * 70_000))
    assert caught.value.code == "journal.entry_too_large"
    assert box.write(alarm("next"))[0].index == 1


def test_a_statement_of_nothing_changes_nothing(box: Box):
    assert box.write() == []
    assert box.queries.size() == 1


def test_each_start_has_a_name_of_its_own(box: Box):
    box.writer.close()
    with JournalWriter(box.store, box.signer, box.clock, box.entropy) as second:
        assert second.boot != box.writer.boot
        (recorded,) = second.commit_blocking(lambda _: [alarm("second")])
        assert recorded.entry.boot == second.boot


def test_a_short_write_of_another_connection_is_waited_for(box: Box):
    other = open_for_writing(box.path)
    other.execute("BEGIN IMMEDIATE")
    finished: list[Recorded] = []
    thread = threading.Thread(target=lambda: finished.extend(box.write(alarm("waits"))))
    thread.start()
    other.execute("INSERT INTO setting VALUES ('other', '1')")
    other.execute("COMMIT")
    other.close()
    thread.join(5)
    assert [recorded.index for recorded in finished] == [1]


def test_a_log_that_cannot_be_written_does_not_keep_callers_waiting(box: Box, monkeypatch: pytest.MonkeyPatch):
    def no_room(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("edge.journal.writer._log.critical", no_room)
    monkeypatch.setattr(box.store, "commit", no_room)
    handed = box.writer._hand_in(lambda _: [alarm("x")])
    with pytest.raises(DeviceError, match=r"journal\.uncertain"):
        handed.result(5)
    with pytest.raises(DeviceError, match=r"journal\.stopped"):
        box.write(alarm("later"))


def test_another_program_that_keeps_the_file_refuses_a_group_and_stops_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("edge.journal.writer.BEGIN_ATTEMPTS_MAX", 2)
    box.store._connection.set_busy_timeout(20)
    other = open_for_writing(box.path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DeviceError, match=r"journal\.busy"):
        box.write(alarm("refused"))
    other.execute("ROLLBACK")
    other.close()
    assert box.writer.failure is None
    assert box.write(alarm("taken"))[0].index == 1


def recovering(box: Box) -> threading.Event:
    """Have the box's writer go on by itself after a failure; return what is set once it has."""
    well = threading.Event()

    def after(_: StoreView) -> Sequence[Body]:
        return [alarm("well again")]

    def heard(records: Sequence[Recorded]) -> None:
        if any(recorded.body == alarm("well again") for recorded in records):
            well.set()

    box.writer.after_failure = after
    box.writer.subscribe(heard)
    return well


def test_a_medium_that_failed_once_is_opened_anew_and_its_callers_hear_the_truth(
    box: Box, monkeypatch: pytest.MonkeyPatch
):
    well = recovering(box)
    commit = box.store.commit
    raised: list[Exception] = []

    def once(*, after: bool) -> None:
        """Fail before the commit happened, or after it did: from outside the two look the same."""
        if raised:
            return commit()
        if after:
            commit()
        raised.append(apsw.IOError("the card was pulled out"))
        raise raised[0]

    monkeypatch.setattr(box.store, "commit", lambda: once(after=False))
    with pytest.raises(DeviceError, match=r"journal\.not_written"):
        box.write(alarm("is not there"))
    assert well.wait(30)
    raised.clear()
    monkeypatch.setattr(box.store, "commit", lambda: once(after=True))
    # What stands although its commit failed is answered as if nothing had happened.
    (stands,) = box.write(alarm("stands"))
    assert box.writer.failure is None
    assert box.writer.trouble is None
    details = [decode_entry(data).body for data, _ in box.queries.entries(1, 10)]
    assert [b"is not there" in bytes(body) for body in details] == [False] * 3
    assert b"stands" in bytes(details[stands.index - 1])
    assert box.write(alarm("next"))[0].index == stands.index + 2
    assert verify_journal(box.queries, JOURNAL, box.signer.public_key) == box.queries.size()


def test_what_writes_rows_and_no_entry_is_known_again_too(box: Box, monkeypatch: pytest.MonkeyPatch):
    recovering(box)
    commit = box.store.commit
    raised: list[Exception] = []

    def once() -> None:
        commit()
        if not raised:
            raised.append(apsw.IOError("failed behind the commit"))
            raise raised[0]

    monkeypatch.setattr(box.store, "commit", once)
    box.within(lambda view: view.update_exchange(last_error="stands"))
    assert box.queries.status().last_exchange_error == "stands"


def test_a_medium_that_stays_bad_is_said_with_since_when_and_clears_by_itself(
    box: Box, monkeypatch: pytest.MonkeyPatch
):
    well = recovering(box)

    def no_room() -> None:
        raise apsw.FullError("database or disk is full")

    asked_for_room: list[Exception] = []
    box.writer.on_failure = asked_for_room.append
    monkeypatch.setattr(box.store, "commit", no_room)
    with pytest.raises(DeviceError, match=r"journal\.(uncertain|not_written)"):
        box.write(alarm("lost"))
    trouble = box.writer.trouble
    assert trouble is not None
    assert (trouble.clears, trouble.since) == (True, "2026-11-22T08:00:00.000Z")
    with pytest.raises(DeviceError, match=r"journal\.stopped"):
        box.write(alarm("refused"))
    assert isinstance(asked_for_room[0], apsw.FullError)
    monkeypatch.undo()
    box.writer.try_again()
    assert well.wait(30)
    assert box.write(alarm("goes on"))


def test_pages_hear_of_what_stands_though_its_caller_was_told_that_nobody_can_say(
    box: Box, monkeypatch: pytest.MonkeyPatch
):
    well = recovering(box)
    heard: list[Body] = []
    box.writer.subscribe(lambda records: heard.extend(recorded.body for recorded in records))
    commit = box.store.commit
    commits: list[None] = []

    def stands_then_no_room() -> None:
        if not commits:
            commit()
        commits.append(None)
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr("edge.journal.writer.UNCERTAIN_ATTEMPTS_MAX", 1)
    monkeypatch.setattr(box.store, "commit", stands_then_no_room)
    with pytest.raises(DeviceError, match=r"journal\.uncertain"):
        box.write(alarm("stands"))
    assert alarm("stands") not in heard
    monkeypatch.undo()
    box.writer.try_again()
    assert well.wait(30)
    assert heard == [alarm("stands"), alarm("well again")]


def test_a_file_that_lost_what_was_acknowledged_is_not_gone_on_with(box: Box, monkeypatch: pytest.MonkeyPatch):
    recovering(box)
    box.write(alarm("acknowledged"))
    box.store._durable = Head(9, b"x" * 32)

    def fails() -> None:
        raise apsw.IOError("simulated")

    monkeypatch.setattr(box.store, "commit", fails)
    with pytest.raises(DeviceError):
        box.write(alarm("x"))
    assert isinstance(box.writer.failure, IntegrityError)
    assert box.writer.trouble
    assert not box.writer.trouble.clears
    with pytest.raises(IntegrityError, match=r"journal\.unsound"):
        box.write(alarm("refused"))


def test_a_sealed_journal_takes_nothing_until_it_has_passed_its_check(box: Box):
    box.writer.seal(IntegrityError("journal.wrong_signature", index=7))
    with pytest.raises(IntegrityError, match=r"journal\.unsound") as refused:
        box.write(alarm("refused"))
    assert "journal.wrong_signature" in str(refused.value.data["why"])
    assert box.writer.trouble
    assert box.writer.trouble.code == "journal.wrong_signature"
    box.writer.unseal()
    assert box.write(alarm("taken"))[0].index == 1
