"""The slip of a request to give money back: for the customer, and saying that it is a request and not money."""

from datetime import datetime
from typing import Literal

import msgspec

from shared.receipt import (
    LEAF_DIGITS,
    Amount,
    AnyRow,
    Mark,
    Pair,
    Receipt,
    Rule,
    Text,
    Words,
    finished,
    heading,
    hex_groups,
    qr_rows,
    when,
)
from shared.text import Language


class RefundSlipFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request when its slip is printed."""

    office_name: str
    office_code: str
    refund_id: str
    means: Literal["reversal", "void", "central"]
    state: Literal["proposed", "agreed", "dropped", "sent", "in_doubt", "done", "refused"]
    amount_rial: int
    reason: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    stan: str | None = None
    rrn: str | None = None
    terminal_number: str | None = None
    journal_index: int
    leaf: str
    """Leaf hash of the entry that asks, hex."""
    verify_url: str | None = None


def refund_slip(
    facts: RefundSlipFacts, *, language: Language = "fa", copy: bool = False, training: bool = False
) -> Receipt:
    """Return the slip of a request. Whatever its state, the paper is no money and says so first."""
    say = Words(language)
    codes = (("stan", facts.stan), ("rrn", facts.rrn), ("terminal_number", facts.terminal_number))
    rows: list[AnyRow] = [
        *heading(facts.office_name, facts.office_code, say),
        Text(text=say("refund_slip"), align="center", size="large", bold=True),
        Mark(text=say(f"refund_state_{facts.state}"), look="frame", icon="check" if facts.state == "done" else "clock"),
        Text(text=say("refund_no_money"), align="center", bold=True),
        Amount(label=say("refund_amount"), amount_rial=facts.amount_rial),
        Rule(),
        Pair(label=say("refund_means"), value=say(f"refund_means_{facts.means}")),
        *(Pair(label=say(key), value=value, ltr=True) for key, value in codes if value),
        Text(text=f"{say('refund_reason')} {facts.reason}"),
        Rule(look="dotted"),
        *when(facts.asked_at, say),
        Pair(label=say("refund_asked_by"), value=facts.asked_by),
        *([Pair(label=say("refund_decided_by"), value=facts.decided_by)] if facts.decided_by else []),
        Pair(label=say("refund_number"), value=facts.refund_id, ltr=True),
        Pair(label=say("journal_index"), value=say.digits(facts.journal_index)),
        Pair(label=say("leaf"), value=hex_groups(facts.leaf[:LEAF_DIGITS]), ltr=True),
        Rule(),
        *qr_rows(facts.verify_url, say("qr_refund")),
        Text(text=say("refund_advice"), align="center", size="small"),
    ]
    return finished("refund_slip", rows, language, copy=copy, training=training)
