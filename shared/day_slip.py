"""The slip of a day's close: what was taken, by method, purpose and terminal, and what the journal was then.

A slip is kept: a journal that has lost its end since does not reach the size that stands here, or has another root.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from shared.day import card_net, summed
from shared.events import DayClosed, DayTotal, TerminalBatch
from shared.money import rial_text
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


class DaySlipFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a closed day."""

    office_name: str
    office_code: str
    number: int
    closed_at: datetime
    clock: str
    """What the box knew of its wall clock: none, floor, ntp or central."""
    journal_index: int
    leaf: str
    """Leaf hash of the entry that closed the day, hex."""
    body: DayClosed
    verify_url: str | None = None


def day_slip(facts: DaySlipFacts, *, language: Language = "fa", copy: bool = False, training: bool = False) -> Receipt:
    """Return the slip of a closed day."""
    say, body = Words(language), facts.body
    rows: list[AnyRow] = [
        *heading(facts.office_name, facts.office_code, say),
        Text(text=say("day_slip"), align="center", size="large", bold=True),
        Text(text=say("day_number").format(n=say.digits(facts.number)), align="center"),
        *_doubt(body, say),
        *_sum(body, say),
        Rule(),
        *_totals(body, say),
        *_apart(body, say),
        *_batches(body, say),
        Rule(),
        Pair(label=say("day_unsent"), value=_amount(say, "day_unsent_value", body.unsent_count, body.unsent_rial)),
        Pair(
            label=say("day_unconfirmed"),
            value=_amount(say, "day_unconfirmed_value", body.unconfirmed_count, body.unconfirmed_rial),
        ),
        Rule(look="dotted"),
        *when(facts.closed_at, say),
        Pair(label=say("day_clock"), value=say(f"clock_{facts.clock}")),
        Pair(label=say("operator"), value=body.operator),
        Rule(look="dotted"),
        Pair(
            label=say("day_entries"),
            value=say("day_entries_value").format(
                first=say.digits(body.first), last=say.digits(max(body.first, body.size - 1))
            ),
        ),
        Pair(label=say("day_size"), value=say.digits(body.size)),
        Pair(label=say("day_root"), value=hex_groups(body.root[:LEAF_DIGITS]), ltr=True),
        Pair(label=say("journal_index"), value=say.digits(facts.journal_index)),
        Pair(label=say("leaf"), value=hex_groups(facts.leaf[:LEAF_DIGITS]), ltr=True),
        *qr_rows(facts.verify_url, say("qr_day")),
    ]
    return finished("day_slip", rows, language, copy=copy, training=training)


def _amount(say: Words, key: str, count: int, amount_rial: int) -> str:
    return say(key).format(n=say.digits(count), amount=rial_text(amount_rial, say.language))


def _doubt(body: DayClosed, say: Words) -> list[AnyRow]:
    """Return what is in doubt before anything else: it is in none of the sums below."""
    if not body.in_doubt_count:
        return [Mark(text=say("day_no_doubt"), look="frame", icon="check")]
    doubt = _amount(say, "day_in_doubt", body.in_doubt_count, body.in_doubt_rial)
    return [
        Mark(text=doubt, look="frame", icon="alert"),
        Text(text=say("day_in_doubt_advice"), align="center", size="small"),
    ]


def _sum(body: DayClosed, say: Words) -> list[AnyRow]:
    taken_count, taken_rial = summed(body.totals)
    undone_count, undone_rial = summed(body.undone)
    net_rial = taken_rial - undone_rial
    rows: list[AnyRow] = [Amount(label=say("day_total"), amount_rial=max(0, net_rial))]
    if net_rial < 0:
        rows.append(Pair(label=say("day_more_undone"), value=rial_text(-net_rial, say.language), bold=True))
    rows.append(Pair(label=say("day_count"), value=say.digits(max(0, taken_count - undone_count))))
    return rows


def _totals(body: DayClosed, say: Words) -> list[AnyRow]:
    if not body.totals:
        return [Text(text=say("day_totals_none"), align="center", size="small")]
    return _rows(body.totals, say)


def _rows(totals: Iterable[DayTotal], say: Words) -> list[AnyRow]:
    rows: list[AnyRow] = []
    for total in totals:
        purpose = say(f"day_purpose_{total.purpose}")
        name = say(f"day_line_{total.method}").format(purpose=purpose, terminal=total.terminal)
        rows += [
            Text(text=name),
            Pair(
                label=say("day_payments").format(n=say.digits(total.count)),
                value=rial_text(total.amount_rial, say.language),
            ),
        ]
    return rows


def _apart(body: DayClosed, say: Words) -> list[AnyRow]:
    """Return what is taken off, and what stands apart."""
    rows: list[AnyRow] = []
    for key, totals in (
        ("day_undone", body.undone),
        ("day_overridden", body.overridden),
        ("day_replaced", body.replaced),
    ):
        if totals:
            rows += [Rule(look="dotted"), Text(text=say(key), bold=True), *_rows(totals, say)]
    return rows


def _batches(body: DayClosed, say: Words) -> list[AnyRow]:
    rows: list[AnyRow] = []
    for batch in body.batches:
        label = say("day_batch").format(terminal=batch.terminal)
        rows.append(Pair(label=label, value=_batch(batch, body, say)))
    return [Rule(look="dotted"), *rows] if rows else []


def _batch(batch: TerminalBatch, body: DayClosed, say: Words) -> str:
    if batch.count is None or batch.amount_rial is None:
        return say("day_batch_none")
    if (batch.count, batch.amount_rial) == card_net(body, batch.terminal):
        return say("day_batch_agrees")
    return _amount(say, "day_batch_differs", batch.count, batch.amount_rial)
