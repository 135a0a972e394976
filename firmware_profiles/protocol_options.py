"""What only one protocol's models differ by: one section a protocol, in a profile under the protocol's own name.

A section of another protocol is refused, and so is a member that a section does not know.
"""

from typing import Annotated, Literal

import msgspec

SixDigits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3}$")]
"""ISO 4217's number of a currency: 364 is the rial."""
RIAL_CODE = "364"
Milliseconds = Annotated[int, msgspec.Meta(ge=20, le=60_000)]
MinorDigits = Annotated[int, msgspec.Meta(ge=0, le=2)]
"""Digits of an amount behind the rial, where amounts are counted in the currency's smallest units. ISO 4217 gives the
rial two; terminals in Iran count whole rials. Which it is shows on the terminal's display only."""


class SadadOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sadad: what a request says of the box's program, and how sales are searched for."""

    api_version: Annotated[str, msgspec.Meta(pattern=r"^[0-9.]{1,20}$")] = "5.3.185.1336"
    ack_timeout_ms: Milliseconds = 5_000
    """How long an acknowledgement is waited for before a frame is sent again, where it may be."""
    search_function: Literal["0015", "0017"] = "0015"
    """Which of the two searches by our reference the model answers."""


class AsanPardakhtOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asan Pardakht: its models differ by nothing that is documented."""


class ZvtOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ZVT: the till's password at the terminal, the currency it works in, what it may do by itself, and its timers."""

    password: SixDigits = "000000"  # noqa: S105 - the default of every till, printed in the makers' papers
    currency: CurrencyCode = RIAL_CODE
    minor_digits: MinorDigits = 0
    sales_at_terminal: bool = False
    """Whether a sale may be keyed in at the terminal itself: one there hides a payment in doubt behind it."""
    service_at_terminal: bool = True
    """Whether its service menu stays open while a till is registered."""
    repeats_identifier: bool = False
    """Whether the next sale repeats the terminal's own identifier of its last transaction (tag 1F1F)."""
    marks_reversals: bool = False
    """Whether the report of a reversal is known to name the sale's trace (BMP 37). Not known: a last transaction that
    is not the very next after the baseline proves nothing."""
    frame_answer_ms: Milliseconds = 5_000
    """Serial lines: how long a frame waits for its ACK (T2)."""
    accept_ms: Milliseconds = 5_000
    """How long a command waits for the terminal's word that it took it (T3)."""
    report_answer_ms: Milliseconds = 3_000
    """How long a report of an approval is left without an answer before the terminal is asked to wait."""
    keep_within_ms: Milliseconds = 20_000
    """How long the journal may take; then the terminal is told to take the sale back."""


class TeliumEOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Telium's protocol E: the till's number, the currency it works in, and its timers."""

    till: Annotated[str, msgspec.Meta(pattern=r"^(?:0[1-9]|[1-9][0-9])$")] = "01"
    currency: CurrencyCode = RIAL_CODE
    minor_digits: MinorDigits = 0
    full_answer: bool = False
    """Whether answers are asked for with their report of 55 characters, which is of the card."""
    answer_ms: Milliseconds = 3_000
    """How long a byte that wants an answer waits for it."""
