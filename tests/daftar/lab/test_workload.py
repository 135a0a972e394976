import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

from daftar.lab.box import FILE, SIGNER, LabBox, create, repeatable
from daftar.lab.recording import scratch
from daftar.lab.truth import Truth
from daftar.lab.witness import Witness
from daftar.lab.workload import Workload


def test_a_long_day_comes_to_every_way_of_holding_something():
    """What a power cut may fall upon: one bill, several in a charge, a fee, an order, and what another box holds."""
    with scratch() as folder, repeatable(1000), asyncio.Runner() as runner:
        create(folder / FILE)
        stack = ExitStack()

        def boots() -> Iterator[LabBox]:
            for boot in range(1_000):
                stack.close()
                yield stack.enter_context(LabBox(folder / FILE, f"day/{boot}", runner.run))

        count = 0

        def counted() -> int:
            nonlocal count
            count += 1
            return count

        with stack:
            Workload("day", boots(), Witness(SIGNER.public_key), Truth(), counted).run(200)
        with LabBox(folder / FILE, "after", runner.run) as box:
            payments = box.queries.payments(None, 1_000)
            assert {payment.purpose for payment in payments} == {"bill", "inquiry_fee", "order"}
            assert any(len(payment.items) > 1 for payment in payments)
            assert box.queries.others.journals()
