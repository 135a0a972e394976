"""What the verifier of one file says of days that a real box has closed."""

from pathlib import Path

import msgspec
import pytest

from edge.journal.export import export_lines
from edge.services.close_day import CloseDay
from shared.events import AlarmRaised, DayClosed, PaymentOverridden
from tests.edge.store.boxes import Box, approved, declined, in_doubt, requested, sent
from verifier import daftar_verify


@pytest.fixture
def box(tmp_path: Path):
    with Box(tmp_path) as made:
        yield made


def say(box: Box) -> list[daftar_verify.Finding]:
    lines = [line.encode() for line in export_lines(box.queries, box.identity, box.signer).lines]
    return daftar_verify.check_bytes(lines, daftar_verify.Key("", box.signer.public_key, 1), None)


def pay(box: Box, name: str, number: int) -> None:
    box.write(requested(name, obligation=f"bill:{number}:1"), sent(name))


async def close(box: Box) -> DayClosed:
    closing = CloseDay(writer=box.writer, queries=box.queries, entropy=box.entropy)
    day = closing.closed(await closing.close(operator="sara", close_id=f"d-{box.queries.size()}"))
    return day.body


async def test_the_closes_of_a_real_box_hold(box: Box):
    pay(box, "p1", 1)
    box.write(approved("p1"))
    pay(box, "p2", 2)
    box.write(declined("p2"))
    pay(box, "p3", 3)
    box.write(in_doubt("p3"))
    pay(box, "p4", 4)
    box.write(in_doubt("p4"))
    box.write(PaymentOverridden(payment_id="p4", charged=True, operator="maryam", reason="slip", slip_number="1"))
    await close(box)
    # Settled a day later: counted where it became charged.
    box.write(approved("p3"))
    # And a late one, after the word of a supervisor and after a decline.
    box.write(approved("p4"), approved("p2"))
    await close(box)
    await close(box)
    found = say(box)
    assert [finding.holds for finding in found] == [True, True, True, True, True, None, True], found
    assert "3 closes of days" in found[-1].en


@pytest.mark.parametrize("change", ["size", "root", "amount", "dropped"])
async def test_a_close_that_tells_something_else_is_named(box: Box, change: str):
    pay(box, "p1", 1)
    box.write(approved("p1"))
    body = await close(box)
    box.write(AlarmRaised(kind="test"))
    total = body.totals[0]
    right = msgspec.structs.replace(body, size=box.queries.size(), close_id="d-x", totals=())
    wrong = {
        "size": msgspec.structs.replace(right, size=right.size - 1),
        "root": msgspec.structs.replace(right, root="ab" * 32),
        "amount": msgspec.structs.replace(right, totals=(total,)),
        "dropped": msgspec.structs.replace(right, size=3),
    }[change]
    index = box.queries.size()
    box.write(wrong)
    assert say(box)[-1].holds is False
    assert f"entry {index}" in say(box)[-1].en
