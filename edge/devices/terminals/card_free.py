"""No whole card number leaves a conversation, whichever member of an answer a terminal put it into.

A codec masks the member that is the card. Where a terminal shifts its members, or a newer one says more than the paper,
the number may stand in another one: what a conversation says is looked through here, in one place for every protocol.
The conversation itself goes by what was said, so a number that is masked here still named its sale there.
"""

import re
from typing import Final, TypeVar

import msgspec

from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    LateAnswer,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    SaleEnded,
    StrayAnswer,
)
from shared.card import mask_card_numbers
from shared.events import Evidence

Part = TypeVar("Part", TerminalOutcome, StatusAnswer, LastTransaction, OrderAnswer)

OUR_REFERENCE: Final = re.compile(r"[0-9]{18}")
"""The form of our own references (`edge.services.payments.take_payment`). One in ten passes for a card number by
chance; masked, a stray charge would not say any more of which payment it is. Cards here have 16 digits."""
_TIME: Final = re.compile(
    r"(?:1[34]|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
)
"""A date and a time in 14 digits, which may pass for a card number by chance as well."""
_TEXTS: Final = (
    "reference",
    "rrn",
    "terminal_number",
    "merchant_number",
    "terminal_time",
    "receipt_number",
)
"""The members that have, or may one day have, more than twelve characters. A merchant number of 15 digits that passes
by chance loses its middle too: no sale is found or compared by it, it stands on receipts and in the books only."""


def _card_free(member: str, text: str) -> str:
    ours = member == "reference" and OUR_REFERENCE.fullmatch(text)
    time = member == "terminal_time" and _TIME.fullmatch(text.replace(" ", ""))
    return text if ours or time else mask_card_numbers(text)


def card_free_evidence(said: Evidence, asked: str | None = None) -> Evidence:
    """Return evidence without a whole card number in any member. `asked`: the reference asked for, which stays."""
    masked = {}
    for member in _TEXTS:
        text = getattr(said, member)
        if text is not None and not (member == "reference" and text == asked):
            clean = _card_free(member, text)
            if clean != text:
                masked[member] = clean
    return msgspec.structs.replace(said, **masked) if masked else said


def card_free_number(number: str | None) -> str | None:
    """Return a terminal's own number as it may be shown and kept."""
    return None if number is None else mask_card_numbers(number)


def _card_free_part(part: Part, asked: str | None = None) -> Part:
    if part.evidence is None:
        return part
    clean = card_free_evidence(part.evidence, asked)
    return part if clean is part.evidence else msgspec.structs.replace(part, evidence=clean)


def card_free(event: Event) -> Event:
    """Return what happened without a whole card number in it."""
    said: dict[str, object] = {}
    match event:
        case SaleEnded() | LateAnswer():
            said = {"outcome": _card_free_part(event.outcome, event.reference)}
        case QueryEnded():
            said = {"answer": _card_free_part(event.answer, event.reference)}
        case LastEnded():
            said = {"last": _card_free_part(event.last)}
        case OrderEnded():
            said = {"answer": _card_free_part(event.answer)}
        case StrayAnswer():
            said = {"evidence": card_free_evidence(event.evidence)}
        case ReadyEnded():
            pass
    return msgspec.structs.replace(event, **said) if said else event


def take_events(events: list[Event]) -> list[Event]:
    """Return what happened in a conversation since the last call, in order, and forget it there."""
    happened = [card_free(event) for event in events]
    events.clear()
    return happened
