"""What ZVT's reports prove. Pure: the report, what was asked, and the model's profile.

Amounts are in the smallest units of the terminal's currency, of which the profile says how many digits stand behind
the rial; one in another currency is no amount. A terminal may tell a sale that it took back as a transaction of its
own, with the amount and a yes: BMP 37 marks it, where a model is known to write it.
"""

from typing import Final, Literal

import msgspec

from edge.devices.terminals.judgement import AskedSale, judge_last, judge_order
from edge.devices.terminals.outcome import OrderAnswer, StatusAnswer
from edge.devices.terminals.zvt import Status
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.protocol_options import ZvtOptions
from shared.events import Evidence

Source = Literal["answer", "late_answer", "last_transaction", "reversal"]

NO_CODE: Final = ""
"""The code of a report that says none: no table knows it."""


def amount_units(amount_rial: int, options: ZvtOptions) -> int:
    """Return an amount in the smallest units of the terminal's currency."""
    return amount_rial * _units_of_a_rial(options)


def _units_of_a_rial(options: ZvtOptions) -> int:
    return int(10**options.minor_digits)


def _rial(status: Status, options: ZvtOptions) -> int | None:
    if status.amount is None or status.currency not in {None, options.currency}:
        return None
    rial, rest = divmod(status.amount, _units_of_a_rial(options))
    return None if rest else rial


def evidence_of(status: Status, source: Source, options: ZvtOptions) -> Evidence:
    """Return what a report says, in the journal's words."""
    when = " ".join(part for part in (status.date, status.time) if part)
    return Evidence(
        source=source,
        response_code=status.result_code or NO_CODE,
        amount_rial=_rial(status, options),
        stan=status.trace,
        receipt_number=status.receipt_number,
        terminal_number=status.terminal_number,
        merchant_number=status.merchant_number,
        pan=status.pan,
        terminal_time=when or None,
    )


def judge_told(
    status: Status, said: Evidence, sale: AskedSale, profile: TerminalProfile, options: ZvtOptions
) -> StatusAnswer:
    """Return what the terminal's last transaction proves about a sale."""
    unclear = StatusAnswer(kind="unclear", evidence=said, response_code=said.response_code)
    if status.original_trace is not None:
        # The sale was made, and undone: that it is not charged is as sure as that of a sale that was refused.
        ours = (
            # Only the very next: behind another sale that was undone, this one may stand.
            _is_next(status.original_trace, sale.baseline_stan)
            and said.amount_rial == sale.amount_rial
            and sale.terminal_number in {None, said.terminal_number}
            and profile.meaning(said.response_code).outcome == "approved"
        )
        return msgspec.structs.replace(unclear, kind="not_found") if ours else unclear
    told = judge_last(said, sale, profile)
    if told.kind != "approved" or options.marks_reversals or _is_next(said.stan, sale.baseline_stan):
        return told
    # Further on than the very next, without a mark that could be trusted: the sale, or what undid it.
    return unclear


def _is_next(stan: str | None, baseline_stan: str | None) -> bool:
    return stan is not None and baseline_stan is not None and (int(stan) - int(baseline_stan)) % 1_000_000 == 1


def judge_undone(status: Status, said: Evidence, sale: AskedSale, stan: str, profile: TerminalProfile) -> OrderAnswer:
    """Return what the report of an order to undo a sale proves. It has a trace of its own; BMP 37 names the sale's."""
    about = msgspec.structs.replace(said, stan=status.original_trace)
    return msgspec.structs.replace(judge_order(about, sale, stan, profile), evidence=said)
