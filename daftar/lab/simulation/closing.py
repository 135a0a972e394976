"""Judging a day at its end: everything comes to rest in time, and journal, terminals and central agree."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from daftar.lab.box import FILE
from daftar.lab.money import money_faults
from daftar.lab.simulation.cheap_keys import PUBLIC_KEY
from daftar.lab.simulation.closing_services import EVERYTHING, restless_services, service_faults
from daftar.lab.simulation.office import Office
from daftar.lab.witness import JOURNAL
from edge.journal.verify import verify_journal
from edge.journal.views import PaymentView
from edge.store.queries import Queries
from edge.store.rebuild import rebuild_projections
from shared.day import PROVED, TALLIES
from shared.errors import DaftarError
from shared.journal.entry import leaf_hash
from shared.payment import PaymentState

REST_WITHIN_S: Final = 3 * 3_600
_LOOK_EVERY_S: Final = 60.0
THOROUGH_EVERY: Final = 4
"""On one day in so many the whole journal is verified and the projections are rebuilt: it takes as long as a day."""
_OPEN: Final = frozenset({PaymentState.REQUESTED, PaymentState.SENT})
_APPROVED: Final = frozenset({PaymentState.APPROVED})
_FLAGS: Final = frozenset(
    {
        *("charge_mismatch", "answer_mismatch", "stray_approval", "second_charge", "not_found_unproved"),
        *("terminal_cannot_tell", "sale_not_kept"),
    }
)


async def judge(office: Office) -> None:
    """Wait until everything is at rest, and hold what stands against what happened."""
    until = office.loop.time() + REST_WITHIN_S
    restless = _restless(office)
    while restless and office.loop.time() < until:
        await asyncio.sleep(_LOOK_EVERY_S)
        restless = _restless(office)
    for what in restless:
        office.truth.wrong(f"I10 not at rest after {REST_WITHIN_S} s: {what}")
    if office.run is None:
        return
    queries = office.run.counter.queries
    payments = queries.payments(None, EVERYTHING)
    kept = [charge for terminal in office.terminals for charge in terminal.kept]
    for fault in (
        *money_faults(kept, payments),
        *_journal_faults(office, queries),
        *_day_faults(queries, payments),
        *service_faults(office, queries),
    ):
        office.truth.wrong(fault)


def _restless(office: Office) -> list[str]:
    """Return what is still going on."""
    run = office.run
    if run is None:
        return ["the box is down"]
    queries = run.counter.queries
    status = queries.status()
    flagged = {alarm.payment_id for alarm in status.alarms if alarm.kind in _FLAGS}
    found = [f"{payment.payment_id} is {payment.state}" for payment in queries.payments(None, EVERYTHING, _OPEN)]
    found += [
        f"{payment.payment_id} is in doubt" for payment in queries.in_doubt() if payment.payment_id not in flagged
    ]
    found += [
        f"{payment.payment_id} is not acknowledged"
        for payment in queries.payments(None, EVERYTHING, _APPROVED)
        if payment.unacknowledged
    ]
    found += [f"{one.refund_id} is {one.state}" for one in queries.open_refunds() if one.state in ("sent", "in_doubt")]
    if status.unsent_count:
        found.append(f"{status.unsent_count} entries not cosigned")
    if status.unconfirmed_count:
        found.append(f"{status.unconfirmed_count} payments without the provider's word")
    waiting = queries.print_jobs_in(("waiting", "printing"))
    if waiting:
        found.append(f"{len(waiting)} papers wait")
    if any(inquiry.outcome is None for inquiry in queries.inquiries(None, EVERYTHING)):
        found.append("an inquiry has no answer")
    return [*found, *restless_services(office, queries)]


def _day_faults(queries: Queries, payments: Sequence[PaymentView]) -> Iterator[str]:
    """Return what the closes of the day, and the day that is open, do not count as the payments stand."""
    days = (*(closed.body for closed in queries.closed_days(None, EVERYTHING)), queries.open_day().totals)
    counted = {
        name: sum(total.amount_rial for day in days for total in getattr(day, name)) for name in TALLIES.values()
    }
    proved = sum(payment.amount_rial for payment in payments if payment.state in PROVED)
    stated = sum(payment.amount_rial for payment in payments if payment.state is PaymentState.OVERRIDDEN_CHARGED)
    if counted["totals"] - counted["undone"] != proved:
        yield f"the closes count {counted['totals']} less {counted['undone']} rial, charged are {proved}"
    if counted["overridden"] - counted["replaced"] != stated:
        yield f"the closes count {counted['overridden']} less {counted['replaced']} by a word, it was {stated}"


def _journal_faults(office: Office, queries: Queries) -> list[str]:
    run = office.run
    if run is None:
        return []
    faults = []
    entries = queries.entries(0, EVERYTHING)
    office.truth.journal_stands(entries)
    if office.seed % THOROUGH_EVERY == 0:
        try:
            verify_journal(queries, JOURNAL, PUBLIC_KEY)
        except DaftarError as error:
            faults.append(f"the journal does not verify: {error}")
        differences = rebuild_projections(run.folder / FILE)
        faults += [f"I8 {one.table} {one.key} is not what the journal says" for one in differences]
    central = office.line.central
    if [leaf_hash(data) for data, _ in entries[: central.size]] != central.main:
        faults.append("I5 central holds what the box does not")
    return faults
