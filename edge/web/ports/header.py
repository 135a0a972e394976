"""What the header of a page says of the box; a part of `edge.web.ports.counter`."""

from typing import Literal, Protocol

from edge.journal.views import PaymentView

LineState = Literal["good", "bad", "none"]
TerminalState = Literal["idle", "busy", "locked", "connecting", "not_ready", "unreachable", "removed"]
"""`locked`: by a payment in doubt, whatever else it is; `not_ready`: there is a link and no proper answer on it;
`removed`: set up no longer, with a payment in doubt."""


class Terminal(Protocol):
    """How a card terminal stands."""

    @property
    def name(self) -> str:
        """Our own name of it."""

    @property
    def state(self) -> TerminalState:
        """How it stands, in a word."""

    @property
    def payment_id(self) -> str | None:
        """The payment that is at it now."""

    @property
    def queue(self) -> tuple[str, ...]:
        """Payments that wait for it, the next one first."""

    @property
    def connected(self) -> bool:
        """Whether there is a link; whether anybody answers on it, `state` says."""

    @property
    def terminal_number(self) -> str | None:
        """Its number at the acquirer."""

    @property
    def address(self) -> str:
        """Where the box reaches it."""

    @property
    def profile(self) -> str:
        """Maker and model of its profile."""

    @property
    def version(self) -> str:
        """The protocol it speaks, and its version."""

    @property
    def last_seen_at(self) -> str | None:
        """When it last answered."""

    @property
    def last_error(self) -> str | None:
        """What went wrong last, if it has not answered since."""

    @property
    def locked_by(self) -> str | None:
        """The payment in doubt that it is locked to."""

    @property
    def centre_link(self) -> bool | None:
        """Whether the terminal itself reaches its centre; None when it never said."""


class Printer(Protocol):
    """How the receipt printer stands."""

    @property
    def state(self) -> str:
        """ok, paper_near_end, paper_end, cover_open, cutter, offline, unknown."""

    @property
    def last_error(self) -> str | None:
        """What went wrong last."""

    @property
    def waiting_jobs(self) -> int:
        """Papers waiting."""


class Line(Protocol):
    """How the line to central stands."""

    @property
    def state(self) -> LineState:
        """Exchanges succeed, some fail, or none does."""

    @property
    def last_exchange_at(self) -> str | None:
        """When central last answered."""

    @property
    def last_error(self) -> str | None:
        """What went wrong last."""


class LimitView(Protocol):
    """One limit: rial, payments or milliseconds of running time."""

    @property
    def used(self) -> int:
        """How much of it is used."""

    @property
    def max(self) -> int | None:
        """The limit, None where there is none."""

    @property
    def left(self) -> int | None:
        """What is left of it."""

    @property
    def level(self) -> str:
        """none, calm, amber or red."""


class ExposureView(Protocol):
    """What central has not seen, and how much more may be taken without it."""

    @property
    def policy_id(self) -> str | None:
        """The policy in force."""

    @property
    def is_limited(self) -> bool:
        """Whether it limits anything."""

    @property
    def of_network(self) -> bool:
        """Whether it is the whole network's."""

    @property
    def payment_max_rial(self) -> int | None:
        """The largest single payment."""

    @property
    def total(self) -> LimitView:
        """Rial."""

    @property
    def count(self) -> LimitView:
        """Payments."""

    @property
    def running(self) -> LimitView:
        """Milliseconds of running time."""

    @property
    def level(self) -> str:
        """The worst of the three."""

    @property
    def reached(self) -> str | None:
        """The code with which payments are refused now."""


class Header(Protocol):
    """What every page says in its header. What comes from the journal is of one moment."""

    @property
    def office(self) -> str:
        """The office's code."""

    @property
    def terminals(self) -> tuple[Terminal, ...]:
        """As `Counter.terminals`."""

    @property
    def printer(self) -> Printer:
        """As `Counter.printer`."""

    @property
    def line(self) -> Line:
        """As `Counter.line`."""

    @property
    def exposure(self) -> ExposureView:
        """As `Counter.exposure`."""

    @property
    def in_doubt(self) -> tuple[PaymentView, ...]:
        """Payments in doubt, oldest first."""

    @property
    def is_under_way(self) -> bool:
        """Whether a payment is on its way to its terminal or there."""

    @property
    def unconfirmed_count(self) -> int:
        """Bill payments charged and waiting for the provider's word."""

    @property
    def unconfirmed_rial(self) -> int:
        """What they come to."""

    @property
    def unsent_count(self) -> int:
        """Entries central has not cosigned yet."""
