"""The slip of an ATM's cash, from what the journal says of the machine."""

from typing import Final

from edge.journal.atms import AtmEventView, AtmView
from edge.services.papers.documents import Letterhead
from shared.atm import difference_of, differs, expected_rial
from shared.atm_slip import CashLine, CashSlipFacts
from shared.banks import bank_text
from shared.clock import parse_instant
from shared.errors import OperatorError
from shared.events import AtmCashCounted, AtmCashLoaded, AtmCashReported, CassetteCount, CassetteNotes
from shared.paper_filling import compose
from shared.receipt import Receipt, receipt_url

CASH_SLIP: Final = "cash_slip"


def cash_slip_of(event: AtmEventView, atm: AtmView, head: Letterhead, *, copy: bool) -> Receipt:
    """Return the slip of a count, a report or a load. Raises OperatorError `atm.no_slip` for another event."""
    body = event.body
    if not isinstance(body, AtmCashCounted | AtmCashReported | AtmCashLoaded):
        raise OperatorError("atm.no_slip", name=event.name)
    counted = body.cassettes if isinstance(body, AtmCashCounted) else ()
    facts = CashSlipFacts(
        office_name=head.office_name,
        office_code=head.office_code,
        what="count" if isinstance(body, AtmCashCounted) else body.how if isinstance(body, AtmCashLoaded) else "report",
        bank=bank_text(atm.bank, "fa"),
        number=atm.number,
        place=atm.place,
        lines=tuple(_line(line) for line in body.cassettes),
        expected_rial=expected_rial(counted) if counted else None,
        differs=differs(counted),
        note=body.note if isinstance(body, AtmCashCounted) else "",
        at=parse_instant(event.at),
        operator=body.operator,
        journal_index=event.entry_index,
        leaf=event.leaf,
        verify_url=receipt_url(head.verify_base, head.journal_id, event.entry_index, event.leaf),
    )
    return compose(facts, copy=copy, training=head.demo)


def _line(line: CassetteNotes | CassetteCount) -> CashLine:
    by = difference_of(line) if isinstance(line, CassetteCount) else None
    return CashLine(
        cassette=line.cassette,
        denomination_rial=line.denomination_rial,
        notes=line.notes,
        agreement="unknown" if by is None else "same" if by == 0 else "more" if by > 0 else "less",
        by=abs(by) if by else None,
    )
