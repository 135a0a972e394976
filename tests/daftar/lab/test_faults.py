import asyncio

import pytest

from daftar.lab.box import FILE, SIGNER, repeatable
from daftar.lab.faults import FaultKind, fault_cases
from daftar.lab.judging import Bench
from daftar.lab.recording import new_box, scratch
from daftar.lab.witness import JOURNAL
from edge.journal.verify import verify_journal
from shared.errors import IntegrityError
from shared.events import AlarmRaised


@pytest.mark.parametrize("kind", ["full", "failing", "failing_once"])
def test_a_disk_that_refuses_any_io_is_answered_with_a_sentence_and_everything_goes_on_afterwards(kind: FaultKind):
    cases = list(fault_cases(1, 2, kind))
    assert [(case.at, case.faults) for case in cases if case.faults] == []
    refused = [case for case in cases if case.refusal is not None]
    assert len(refused) > len(cases) // 3


def test_a_flipped_bit_of_an_entry_is_found_at_the_next_start_or_verification():
    with scratch() as folder, asyncio.Runner() as runner, repeatable(1000):
        bench = Bench(folder, runner)
        bench.lay({FILE: new_box()})
        with bench.open("flip") as box:
            box.recover()
            box.write(AlarmRaised(kind="flip", detail="here it is"))
        data = bytearray(bench.path.read_bytes())
        data[data.index(b"here it is")] ^= 1
        bench.path.write_bytes(data)
        with bench.open("after") as box, pytest.raises(IntegrityError):
            verify_journal(box.queries, JOURNAL, SIGNER.public_key)
        with bench.open("again") as box, pytest.raises(IntegrityError):
            box.recover()
