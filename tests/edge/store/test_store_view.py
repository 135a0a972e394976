from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest

from edge.journal.data_keys import KEYS_KEPT_MAX
from edge.journal.writer import StoreView
from shared.calendar import jalali_month
from shared.errors import BugError, IntegrityError, OperatorError
from shared.events import (
    DATA_KEY_PURPOSE,
    INQUIRY_PARAMETER_PURPOSE,
    Body,
    DataKeyMade,
    InquiryRequested,
)
from shared.sealed import Sealed, seal, unseal
from tests.edge.store.boxes import Box


def ask(box: Box, parameter: bytes) -> InquiryRequested:
    """Take an inquiry as the counter does."""

    def decide(view: StoreView) -> Sequence[Body]:
        made = view.data_key_body()
        key = made or view.data_key()
        ticket = view.next_ticket()
        sealed = seal(
            parameter,
            key_id=key.key_id,
            public_key=bytes.fromhex(key.public_key),
            purpose=INQUIRY_PARAMETER_PURPOSE,
        )
        body = InquiryRequested(
            inquiry_id=f"q{ticket}",
            ticket=ticket,
            service="bill_inquiry",
            kind="electricity",
            parameter=sealed,
            parameter_tail="789",
            operator="sara",
        )
        return [body] if made is None else [made, body]

    body = box.writer.commit_blocking(decide)[-1].body
    assert isinstance(body, InquiryRequested)
    return body


def keys_made(box: Box) -> list[DataKeyMade]:
    connection = apsw.Connection(str(box.path))
    rows = list(connection.execute("SELECT key_id, month FROM data_key ORDER BY made_index"))
    connection.close()
    return [DataKeyMade(key_id=row[0], month=row[1], public_key="", wrapped="") for row in rows]


def test_one_key_serves_a_month(box: Box):
    first, second = ask(box, b"123456789"), ask(box, b"987654321")
    assert first.parameter.key_id == second.parameter.key_id
    assert [key.month for key in keys_made(box)] == [jalali_month(box.clock.now())]
    private = box.queries.private_key(first.parameter.key_id)
    assert private
    assert unseal(first.parameter, private_key=private, purpose=INQUIRY_PARAMETER_PURPOSE) == b"123456789"


def test_central_can_open_what_the_box_forgot(box: Box):
    asked = ask(box, b"123456789")
    made = box.queries.entry(1)
    assert made
    assert b"123456789" not in made[0]
    wrapped = made[0].split(b'"wrapped":"')[1].split(b'"')[0].decode()
    private = unseal(
        Sealed(key_id=asked.parameter.key_id, ciphertext=wrapped),
        private_key=box.central.wrapping_key.private_bytes_raw(),
        purpose=DATA_KEY_PURPOSE,
    )
    assert unseal(asked.parameter, private_key=private, purpose=INQUIRY_PARAMETER_PURPOSE) == b"123456789"


def test_keys_past_their_window_are_forgotten(box: Box):
    first = ask(box, b"1")
    box.clock.step(days=31)
    second = ask(box, b"2")
    assert box.queries.private_key(first.parameter.key_id)
    box.clock.step(days=31)
    assert box.within(lambda view: view.forget_data_keys()) == 1
    assert box.queries.private_key(first.parameter.key_id) is None
    assert box.queries.private_key(second.parameter.key_id)
    assert len(keys_made(box)) == 2


def test_a_forgotten_key_is_not_left_in_the_file(box: Box):
    asked = ask(box, b"1")
    private = box.queries.private_key(asked.parameter.key_id)
    assert private
    box.clock.step(days=100)
    box.within(lambda view: view.forget_data_keys())
    box.queries.close()
    box.writer.close()
    box.store.close()
    assert private not in box.path.read_bytes()


def test_a_decision_that_fails_keeps_no_key(box: Box):
    def decide(view: StoreView) -> Sequence[Body]:
        view.data_key_body()
        raise OperatorError("payment.box_quarantined")

    with pytest.raises(OperatorError):
        box.writer.commit_blocking(decide)
    connection = apsw.Connection(str(box.path))
    assert list(connection.execute("SELECT * FROM private_key")) == []
    connection.close()


def test_a_box_alone_takes_no_personal_data(tmp_path: Path):
    with Box(tmp_path, enrolled=False) as box:
        with pytest.raises(OperatorError) as caught:
            ask(box, b"1")
        assert caught.value.code == "box.not_enrolled"
        with pytest.raises(BugError):
            box.within(lambda view: view.data_key())
        with pytest.raises(IntegrityError):
            box.receive("daftar.feed/network", [])


def test_exchange_state_has_no_other_columns(box: Box):
    with pytest.raises(BugError) as caught:
        box.within(lambda view: view.update_exchange(only=2))
    assert caught.value.code == "exchange.no_such_column"


def test_tickets_are_numbered_through(box: Box):
    assert [ask(box, b"1").ticket for _ in range(3)] == [1, 2, 3]


def test_a_clock_nobody_vouches_for_never_empties_the_window(box: Box, monkeypatch: pytest.MonkeyPatch):
    asked = ask(box, b"1")
    monkeypatch.setattr(box.clock, "quality", lambda: "none")
    box.clock.step(days=400)
    ahead = ask(box, b"2")
    box.clock.step(days=-400)
    assert box.queries.private_key(asked.parameter.key_id), "the answer of the first inquiry can still be read"
    monkeypatch.setattr(box.clock, "quality", lambda: "ntp")
    assert box.within(lambda view: view.forget_data_keys()) == 0
    assert box.queries.private_key(ahead.parameter.key_id), "nor is the answer of the second one lost"
    assert box.queries.private_key(asked.parameter.key_id)
    box.clock.step(days=31)
    ask(box, b"3")
    assert box.queries.private_key(ahead.parameter.key_id)
    box.clock.step(days=31)
    assert box.within(lambda view: view.forget_data_keys()) == 2
    assert box.queries.private_key(ahead.parameter.key_id) is None, "but a wrong month keeps no key for years"


def test_without_a_clock_keys_are_forgotten_by_their_order(box: Box, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(box.clock, "quality", lambda: "none")
    made = []
    for _ in range(KEYS_KEPT_MAX + 2):
        made.append(ask(box, b"1"))
        box.clock.step(days=31)
    box.within(lambda view: view.forget_data_keys())
    kept = [bool(box.queries.private_key(one.parameter.key_id)) for one in made]
    assert kept == [False, False, True, True, True]
