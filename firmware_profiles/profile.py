"""What a card terminal's profile says: whose it is, how it is reached, how long it may take, what its codes mean.

One TOML file a model under `terminals/<maker>/<model>.toml`; a key these structs do not know is refused, so that a
typo is not a silent default. The codes a protocol's terminals share stand once, in `protocols/<name>.toml`; a model
that means something else by one says so under its own `[codes]`. Behaviour a table cannot say is code: the protocol's
codec and session, named by `protocol`.
"""

from typing import Annotated, Final, Literal

import msgspec

from firmware_profiles.links import DeviceMarks, LinkKind, ListenLine, SerialLine, TcpLine, UdpCalls
from firmware_profiles.protocol_options import AsanPardakhtOptions, SadadOptions, TeliumEOptions, ZvtOptions

Milliseconds = Annotated[int, msgspec.Meta(ge=20, le=600_000)]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]+$")]
ResponseCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{1,4}$")]
ProtocolName = Literal["behpardakht", "pna", "sadad", "asan_pardakht", "zvt", "telium_e"]
"""The families that the box speaks. What a family differs by stands in a section of the family's own name."""
OPTION_SECTIONS: Final = ("sadad", "asan_pardakht", "zvt", "telium_e")
REFERENCE_DIGITS_MIN: Final = 4
CodeOutcome = Literal["approved", "declined", "cancelled", "in_doubt", "not_found"]
"""What a code proves: `declined` and `cancelled` no charge, `in_doubt` nothing; `not_found` answers a status query."""


class CodeMeaning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One response code: what it proves, and the sentence for the operator in both languages."""

    outcome: CodeOutcome
    fa: str
    en: str
    centre: Literal["reached", "not_reached", "not_said"] = "not_said"
    """What the code says of the terminal's own line to its centre, which is not the box's line."""


UNKNOWN_CODE = CodeMeaning(
    outcome="in_doubt",
    fa="کارتخوان کدی داد که در فهرست نیست؛ از آن نمی‌توان فهمید مبلغ کم شده است یا نه.",
    en="The terminal gave a code that is not in the table; it does not say whether the card was charged.",
)
"""A code nobody listed proves nothing: neither a charge nor its absence."""


class ProtocolProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all terminals of a protocol share as data."""

    protocol: ProtocolName
    title_fa: str
    title_en: str
    codes: dict[ResponseCode, CodeMeaning]


class TerminalIdentity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who made it. `maker` and `model` are the folder's and the file's own names; titles are for people."""

    maker: Slug
    model: Slug
    title_fa: str
    title_en: str


class TerminalTimes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest each step may take; every call to a terminal has one of these over it."""

    connect_timeout_ms: Milliseconds
    ready_timeout_ms: Milliseconds
    """From asking whether it is idle to its yes."""
    answer_timeout_ms: Milliseconds
    """From starting a sale to giving up waiting for its answer; the payment is then in doubt, not failed."""
    longest_ms: Milliseconds
    """The longest the terminal itself may work on one sale: a not-found before this proves nothing."""
    query_timeout_ms: Milliseconds
    frame_gap_ms: Milliseconds
    """Silence inside a frame after which the rest is not coming."""
    reconnect_first_ms: Milliseconds
    reconnect_longest_ms: Milliseconds
    heartbeat_every_ms: Milliseconds


_VOIDING: Final = frozenset({"zvt"})
"""Protocols in which a sale is undone by the number of its receipt."""


class TerminalCapabilities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model can do beyond a sale."""

    query_by_reference: bool
    query_last: bool
    cancel_while_waiting: bool
    confirming: bool = False
    """Whether it reverses a sale that is not acknowledged."""
    reverse: bool = False
    """Whether it undoes its newest sale when told to."""
    void: bool = False
    """Whether it undoes, before settlement, whichever sale the number of its receipt names."""
    bill: bool = False
    """Whether a sale may be the payment of a bill by its identifiers, which the terminal's own centre then settles."""
    split: bool = False
    """Whether an amount may be divided among accounts."""
    print_text: bool = False
    """Whether it prints a line of ours on its slip."""


class TerminalLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sale may be. The reference's own limit is `reference_digits_max`."""

    amount_min_rial: Annotated[int, msgspec.Meta(ge=1)] = 1
    amount_max_rial: Annotated[int, msgspec.Meta(ge=1, lt=10**15)] = 10**12 - 1

    def carry(self, amount_rial: int) -> bool:
        """Return whether a sale may be of that amount."""
        return self.amount_min_rial <= amount_rial <= self.amount_max_rial


class TerminalProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model, whole. In its file `codes` holds the model's own differences; once registered, the whole table."""

    identity: TerminalIdentity
    protocol: ProtocolName
    protocol_version: str = ""
    """As the maker's papers call it; for people."""
    connection: Literal["kept", "per_request"] = "kept"
    """Whether the link stays open between requests, or each request has its own."""
    tcp: TcpLine | None = None
    listen: ListenLine | None = None
    serial: SerialLine | None = None
    discovery: UdpCalls | None = None
    marks: DeviceMarks = DeviceMarks()
    calendar: Literal["jalali", "gregorian", "unknown"]
    """Calendar of the dates it answers with. They are kept as raw text; this says how to read them."""
    reference_digits_max: Annotated[int, msgspec.Meta(ge=0, le=20)]
    """Digits of our reference that a sale carries and an answer repeats; 0 where there is no such thing."""
    slip_reference_digits: Annotated[int, msgspec.Meta(ge=0, le=18)] = 0
    """The last so many digits of our reference are printed on the merchant's slip, for people; 0 prints none."""
    no_last_code: ResponseCode | None = None
    """Code that says it has no last transaction at all. Not set: an answer without a trace tells no baseline."""
    times: TerminalTimes
    capabilities: TerminalCapabilities
    limits: TerminalLimits = TerminalLimits()
    sadad: SadadOptions | None = None
    asan_pardakht: AsanPardakhtOptions | None = None
    zvt: ZvtOptions | None = None
    telium_e: TeliumEOptions | None = None
    codes: dict[ResponseCode, CodeMeaning] = {}

    @property
    def name(self) -> str:
        """Return `maker/model`, the name settings use."""
        return f"{self.identity.maker}/{self.identity.model}"

    def meaning(self, response_code: str) -> CodeMeaning:
        """Return what a code means here; a code that is not listed proves nothing."""
        return self.codes.get(response_code, UNKNOWN_CODE)

    @property
    def hides_undoings(self) -> bool:
        """Return whether it may tell the undoing of a sale as a sale of its own, with a trace that is the next."""
        return self.protocol == "zvt" and not (self.zvt or ZvtOptions()).marks_reversals

    @property
    def link_kinds(self) -> tuple[LinkKind, ...]:
        """Return the ways it can be reached."""
        ways: tuple[tuple[LinkKind, object], ...] = (
            ("tcp", self.tcp),
            ("listen", self.listen),
            ("serial", self.serial),
        )
        return tuple(kind for kind, line in ways if line is not None)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself. Raises ValueError."""
        self._check_ways()
        self._check_capabilities()
        if self.limits.amount_max_rial < self.limits.amount_min_rial:
            raise ValueError("amount_max_rial is less than amount_min_rial")

    def _check_ways(self) -> None:
        if not self.link_kinds:
            raise ValueError("it can be reached in no way: write [tcp], [listen] or [serial]")
        for section in OPTION_SECTIONS:
            if section != self.protocol and getattr(self, section) is not None:
                raise ValueError(f"[{section}] is for terminals of that protocol")
        if self.times.longest_ms < self.times.answer_timeout_ms:
            raise ValueError("longest_ms is shorter than answer_timeout_ms")
        if self.times.reconnect_longest_ms < self.times.reconnect_first_ms:
            raise ValueError("reconnect_longest_ms is shorter than reconnect_first_ms")

    def _check_capabilities(self) -> None:
        if self.capabilities.query_by_reference and self.reference_digits_max < REFERENCE_DIGITS_MIN:
            raise ValueError("query_by_reference needs a reference_digits_max of 4 or more")
        if self.capabilities.confirming and not self.capabilities.query_last:
            raise ValueError("a confirming terminal needs query_last: it acknowledges its last transaction")
        if self.capabilities.reverse and not self.capabilities.query_last:
            raise ValueError("reverse needs query_last: only the newest sale can be undone")
        if self.capabilities.void and self.protocol not in _VOIDING:
            raise ValueError("void needs a protocol that names a sale by the number of its receipt")
