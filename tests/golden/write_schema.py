"""Write the file of a box as this release makes it, every queue full: what each later release has to bring forward.

Run by hand when a schema is released (or, before the first release, whenever it changed):

    python tests/golden/write_schema.py

It writes `schemas/<newest migration>.sqlite.gz`, and `.feed.json` with what the feed may say. Once a release carries
that migration they are never written again: a new need is a new migration, with files of its own. Keys are made from
fixed seeds and protect nothing.
"""

import asyncio
import gzip
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from daftar.lab.box import FILE, SIGNER, LabBox, create, repeatable
from daftar.lab.recording import scratch
from daftar.lab.witness import OFFICE_FEED, Witness
from edge.journal.ports import StoreView
from edge.services.papers.documents import BILL_RECEIPT, INQUIRY_TICKET, spool
from edge.store.database import open_for_writing
from edge.store.schema.migrations import MIGRATIONS
from edge.store.upgrade import _known
from shared.errors import PeerError
from shared.events import (
    FEED_BODIES,
    AlarmRaised,
    Body,
    Evidence,
    InquiryAnswered,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentCancelled,
    PaymentConfirmed,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    RefundAgreed,
    RefundProposed,
    ReversalInDoubt,
    ReversalRequested,
    Split,
)
from shared.payment import PaymentState

FOLDER = Path(__file__).with_name("schemas")
AMOUNT_RIAL = 17_000
TERMINAL_NUMBER = "00001234"


def requested(name: str, number: int) -> PaymentRequested:
    """Return an intent whose obligation and reference its number makes."""
    return PaymentRequested(
        payment_id=name,
        obligation=f"bill:77483178{number:05}:17701{number:02}",
        purpose="bill",
        amount_rial=AMOUNT_RIAL,
        split=Split(gross_rial=AMOUNT_RIAL, company_rial=AMOUNT_RIAL),
        method="pcpos",
        terminal="terminal-1",
        reference=f"{number:018}",
        operator="sara",
        bill_id=f"77483178{number:05}",
        bill_payment_id=f"17701{number:02}",
    )


def evidence(number: int, code: str = "00") -> Evidence:
    """Return what a terminal says of a payment."""
    return Evidence(
        source="answer",
        response_code=code,
        amount_rial=AMOUNT_RIAL,
        reference=f"{number:018}",
        stan=f"{number:06}",
        rrn=f"{number:012}",
        terminal_number=TERMINAL_NUMBER,
        pan="610433******8596",
    )


def life(state: PaymentState, name: str, number: int) -> list[Body]:
    """Return the facts that bring a new payment into a state."""
    asked = requested(name, number)
    sent = PaymentSent(payment_id=name, terminal_number=TERMINAL_NUMBER)
    approved = PaymentApproved(payment_id=name, evidence=evidence(number))
    doubt = PaymentInDoubt(payment_id=name, reason="no_answer")
    refund = f"refund-{name}"
    reversing = [
        RefundProposed(
            refund_id=refund,
            payment_id=name,
            means="reversal",
            amount_rial=AMOUNT_RIAL,
            operator="sara",
            reason="wrong bill",
        ),
        RefundAgreed(refund_id=refund, payment_id=name, operator="reza"),
        ReversalRequested(payment_id=name, refund_id=refund, means="reversal"),
    ]
    overridden = [
        doubt,
        PaymentOverridden(
            payment_id=name,
            charged=state is PaymentState.OVERRIDDEN_CHARGED,
            operator="reza",
            reason="slip seen",
            slip_number="77",
        ),
    ]
    tails: dict[PaymentState, Sequence[Body]] = {
        PaymentState.REQUESTED: (),
        PaymentState.NOT_SENT: (PaymentNotSent(payment_id=name, reason="terminal.unreachable"),),
        PaymentState.SENT: (sent,),
        PaymentState.APPROVED: (sent, approved),
        PaymentState.DECLINED: (sent, PaymentDeclined(payment_id=name, evidence=evidence(number, "51"))),
        PaymentState.CANCELLED: (sent, PaymentCancelled(payment_id=name, evidence=evidence(number, "51"))),
        PaymentState.IN_DOUBT: (sent, doubt),
        PaymentState.NOT_CHARGED: (sent, doubt, PaymentNotCharged(payment_id=name, asked_count=2)),
        PaymentState.OVERRIDDEN_CHARGED: (sent, *overridden),
        PaymentState.OVERRIDDEN_NOT_CHARGED: (sent, *overridden),
        PaymentState.ACKNOWLEDGED: (
            PaymentSent(payment_id=name, terminal_number=TERMINAL_NUMBER, confirming=True),
            approved,
            PaymentAcknowledged(payment_id=name),
        ),
        PaymentState.REVERSAL_REQUESTED: (sent, approved, *reversing),
        PaymentState.REVERSED: (
            sent,
            approved,
            *reversing,
            PaymentReversed(payment_id=name, evidence=evidence(number)),
        ),
        PaymentState.REVERSAL_IN_DOUBT: (
            sent,
            approved,
            *reversing,
            ReversalInDoubt(payment_id=name, reason="no_answer"),
        ),
    }
    return [asked, *tails[state]]


def fill(box: LabBox, witness: Witness) -> None:
    """Fill every queue: some of it known to central, the rest not, and a request on its way."""
    box.recover()
    box.people.save_operator("sara", name="سارا", verifier="v", role="operator")
    box.people.open_session(b"s" * 32, "sara", boot=box.writer.boot, monotonic_ms=1)
    box.people.count_failure("nobody", boot=box.writer.boot, monotonic_ms=1)
    box.people.save_api_token(b"t" * 32, name="kiosk", scopes=["payments:read"])
    box.people.begin_request("kiosk", "key-1", b"r" * 32)
    box.people.begin_request("kiosk", "key-2", b"r" * 32)
    box.people.finish_request("kiosk", "key-2", b"answer")
    answered = box.ask("electricity", "123456789", "sara")
    box.write(*life(PaymentState.APPROVED, "confirmed", 90))
    witness.publish(OFFICE_FEED, InquiryAnswered(inquiry_id=answered, outcome="nothing_owed", provider="sandbox"))
    witness.publish(
        OFFICE_FEED,
        PaymentConfirmed(
            payment_id="confirmed",
            provider="sandbox",
            track_id="t",
            provider_reference="r",
            confirmed_at="2026-11-22T08:00:00Z",
        ),
    )
    box.exchange_all(witness)
    for number, state in enumerate(PaymentState):
        # One at a time: a payment in doubt would lock the terminal for the next only in the services, not here.
        box.write(*life(state, str(state), number))
    box.ask("water", "987654321", "sara")
    box.write(AlarmRaised(kind="late_approval", payment_id="declined", detail="fixture"))

    def papers(view: StoreView) -> Sequence[Body]:
        spool(view, box.entropy, document=BILL_RECEIPT, about="approved", copy=False)
        spool(view, box.entropy, document=INQUIRY_TICKET, about=answered, copy=False)
        return []

    box.writer.commit_blocking(papers)

    def no_line(_: bytes) -> bytes:
        raise PeerError("exchange.unreachable", why="fixture")

    box.exchange(no_line)


def make() -> bytes:
    """Return the file's bytes."""
    with scratch() as folder, asyncio.Runner() as runner, repeatable(1000):
        create(folder / FILE)
        with LabBox(folder / FILE, "fixture", runner.run) as box:
            fill(box, Witness(SIGNER.public_key))
        connection = open_for_writing(folder / FILE)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()
        return (folder / FILE).read_bytes()


def feed_bodies() -> bytes:
    """Return the shapes of all that the feed may say in this release, as JSON schemas without their words."""
    shapes = msgspec.json.schema_components(sorted(FEED_BODIES.values(), key=lambda body: body.type))
    return msgspec.json.format(msgspec.json.encode(_wordless(shapes), order="sorted")) + b"\n"


def _wordless(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {name: _wordless(value) for name, value in shape.items() if name not in {"title", "description"}}
    return [_wordless(one) for one in shape] if isinstance(shape, list | tuple) else shape


def main() -> None:
    """Write the newest schema's file, and what the feed may say beside it."""
    newest = _known(MIGRATIONS)[-1]
    path = FOLDER / f"{newest}.sqlite.gz"
    FOLDER.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(make(), mtime=0))
    (FOLDER / f"{newest}.feed.json").write_bytes(feed_bodies())
    sys.stdout.write(f"{path}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
