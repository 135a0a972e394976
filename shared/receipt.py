"""What a receipt says: typed rows of words, no pixels. Builders turn facts into rows and do nothing else.

A receipt is spooled as JSON (`encode`, `decode`) and laid out later for whatever paper is there. Amounts are whole
rials until the very row that shows them. What a person reads has the language's digits; what is typed or compared with
another paper (bill id, RRN, terminal number) keeps Latin digits, left to right.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec

from shared.calendar import jalali_date_text, time_text
from shared.card import MaskedPan
from shared.events import BillKind
from shared.identifiers import BillType
from shared.receipt_texts import LETTERS_APART, LETTERS_JOINED, word
from shared.text import Language, persian_digits

ReceiptKind = Literal["bill_receipt", "inquiry_ticket", "day_slip", "refund_slip", "test_page"]
Align = Literal["start", "center", "end"]
Size = Literal["small", "normal", "large", "huge"]
Icon = Literal["none", "check", "clock", "alert"]
Confirmation = Literal["none", "queued", "confirmed", "refused"]
"""What the provider said of a payment: nothing was asked, waiting to be asked, yes, no."""

LEAF_DIGITS: Final = 16
"""Hex digits of a leaf hash on paper: 64 bits, enough to tell one entry from every other of a journal."""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="row"):
    """One thing on the paper, from top to bottom."""


class Title(Row, frozen=True, tag="title"):
    """The name of the office or of the paper, centred and heavy."""

    text: str


class Text(Row, frozen=True, tag="text"):
    """Running words, wrapped at the paper's width."""

    text: str
    align: Align = "start"
    size: Size = "normal"
    bold: bool = False


class Pair(Row, frozen=True, tag="pair"):
    """A label at the starting side and its value at the other. `ltr`: digits and codes, never turned round."""

    label: str
    value: str
    ltr: bool = False
    bold: bool = False


class Amount(Row, frozen=True, tag="amount"):
    """An amount as people say it: toman big, rial small below it."""

    label: str
    amount_rial: Annotated[int, msgspec.Meta(ge=0)]


class Mark(Row, frozen=True, tag="mark"):
    """Words that must be seen first: white on a black band, or in a frame with an icon."""

    text: str
    look: Literal["band", "frame"]
    icon: Icon = "none"


class Rule(Row, frozen=True, tag="rule"):
    """A line across the paper."""

    look: Literal["line", "dotted", "double"] = "line"


class QrCode(Row, frozen=True, tag="qr"):
    """A URL for the customer's phone, with words below it."""

    url: str
    caption: str = ""


class Space(Row, frozen=True, tag="space"):
    """White paper."""

    height_mm: Annotated[int, msgspec.Meta(ge=1, le=50)] = 2


AnyRow = Title | Text | Pair | Amount | Mark | Rule | QrCode | Space


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A paper, whole. `copy` is true once «رونوشت» stands on it, `training` once no money of it is real."""

    kind: ReceiptKind
    language: Language
    copy: bool
    training: bool
    rows: tuple[AnyRow, ...]


def encode(receipt: Receipt) -> bytes:
    """Return the receipt as deterministic JSON, for the spool."""
    return msgspec.json.encode(receipt, order="deterministic")


def decode(data: bytes) -> Receipt:
    """Return a spooled receipt. Raises msgspec.ValidationError or msgspec.DecodeError on anything else."""
    return msgspec.json.decode(data, type=Receipt)


def as_copy(receipt: Receipt) -> Receipt:
    """Return the receipt with the mark of a copy on top; a copy's copy is the same paper."""
    if receipt.copy:
        return receipt
    mark = Mark(text=word("copy", receipt.language), look="band")
    return msgspec.structs.replace(receipt, copy=True, rows=(mark, *receipt.rows))


def receipt_url(verify_base: str, journal: str, index: int, leaf: str) -> str:
    """Return the address the QR code holds: `{verify_base}/r/{journal}/{index}/{first hex digits of the leaf}`."""
    return f"{verify_base.rstrip('/')}/r/{quote(journal, safe='/')}/{index}/{leaf[:LEAF_DIGITS]}"


class BillReceiptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a paid bill. Members the terminal did not give are None and their rows are left out."""

    office_name: str
    office_code: str
    bill_kind: BillType
    bill_id: str
    bill_payment_id: str
    amount_rial: int
    paid_at: datetime
    journal_index: int
    leaf: str
    """Leaf hash of the entry that says approved, hex."""
    operator: str
    pan: MaskedPan | None = None
    stan: str | None = None
    rrn: str | None = None
    terminal_number: str | None = None
    confirmation: Confirmation = "none"
    provider_reference: str | None = None
    case_id: str | None = None
    stated_by: str | None = None
    """The supervisor by whose word it counts as charged, where no terminal and no acquirer has said so."""
    stated_slip: str | None = None
    verify_url: str | None = None


class InquiryTicketFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer of a waiting inquiry takes home."""

    office_name: str
    office_code: str
    ticket: int
    bill_kind: BillKind
    parameter_tail: str
    """The last digits of the subscriber's number; the number itself is not printed."""
    requested_at: datetime
    journal_index: int
    operator: str
    verify_url: str | None = None


class PrinterTestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a technician wants to read on the first paper of a printer."""

    office_name: str
    office_code: str
    printer_title: str
    printer_address: str
    paper_width_mm: int
    printable_dots: int
    printed_at: datetime
    url: str | None = None


def bill_receipt(
    facts: BillReceiptFacts, *, language: Language = "fa", copy: bool = False, training: bool = False
) -> Receipt:
    """Return the receipt of a paid bill: who, what, how much, by which card, and where to check it."""
    say = Words(language)
    rows: list[AnyRow] = [
        *heading(facts.office_name, facts.office_code, say),
        Text(text=say(f"bill_receipt_{facts.bill_kind.word}"), align="center", size="large", bold=True),
        _state(facts.confirmation, say, stated=facts.stated_by is not None),
        Amount(label=say("amount_paid"), amount_rial=facts.amount_rial),
        Rule(),
        Pair(label=say("bill_id"), value=facts.bill_id, ltr=True),
        Pair(label=say("bill_payment_id"), value=facts.bill_payment_id, ltr=True),
        Rule(look="dotted"),
        *_codes(
            say,
            ("card", None if facts.pan is None else _card_groups(facts.pan)),
            ("stan", facts.stan),
            ("rrn", facts.rrn),
            ("terminal_number", facts.terminal_number),
        ),
        *([] if facts.stated_by is None else [Pair(label=say("stated_by"), value=facts.stated_by)]),
        *_codes(
            say,
            ("stated_slip", facts.stated_slip),
            ("provider_reference", facts.provider_reference),
            ("case", facts.case_id),
        ),
        Rule(look="dotted"),
        *when(facts.paid_at, say),
        Pair(label=say("operator"), value=facts.operator),
        Pair(label=say("journal_index"), value=say.digits(facts.journal_index)),
        Pair(label=say("leaf"), value=hex_groups(facts.leaf[:LEAF_DIGITS]), ltr=True),
        Rule(),
        *qr_rows(facts.verify_url, say("qr_receipt")),
        Text(text=say(f"advice_{facts.confirmation}"), align="center", size="small"),
    ]
    return finished("bill_receipt", rows, language, copy=copy, training=training)


def inquiry_ticket(
    facts: InquiryTicketFacts, *, language: Language = "fa", copy: bool = False, training: bool = False
) -> Receipt:
    """Return the ticket of an inquiry that waits: its number, what was asked, and what the customer does next."""
    say = Words(language)
    rows: list[AnyRow] = [
        *heading(facts.office_name, facts.office_code, say),
        Text(text=say(f"inquiry_{facts.bill_kind}"), align="center", size="large", bold=True),
        Text(text=say("ticket_number"), align="center", size="small"),
        Text(text=say.digits(facts.ticket), align="center", size="huge", bold=True),
        Mark(text=say("inquiry_waiting"), look="frame", icon="clock"),
        Rule(),
        Pair(label=say(f"parameter_{facts.bill_kind}"), value=f"…{facts.parameter_tail}", ltr=True),
        *when(facts.requested_at, say),
        Pair(label=say("operator"), value=facts.operator),
        Pair(label=say("journal_index"), value=say.digits(facts.journal_index)),
        Rule(),
        Text(text=say("next_title"), bold=True),
        Text(text=say("next_keep")),
        Text(text=say("next_answer")),
        Text(text=say("no_money")),
        *qr_rows(facts.verify_url, say("qr_ticket")),
    ]
    return finished("inquiry_ticket", rows, language, copy=copy, training=training)


def printer_test_page(facts: PrinterTestFacts, *, language: Language = "fa", training: bool = False) -> Receipt:
    """Return the page that shows a printer is set up: letters, joined and apart, digits, codes, rules, a QR code."""
    say = Words(language)
    rows: list[AnyRow] = [
        *heading(facts.office_name, facts.office_code, say),
        Text(text=say("test_page"), align="center", size="large", bold=True),
        Mark(text=say("test_ready"), look="frame", icon="check"),
        Pair(label=say("printer"), value=facts.printer_title),
        Pair(label=say("address"), value=facts.printer_address, ltr=True),
        Pair(
            label=say("paper"),
            value=say("paper_value").format(mm=say.digits(facts.paper_width_mm), dots=say.digits(facts.printable_dots)),
        ),
        *when(facts.printed_at, say),
        Rule(),
        Text(text=LETTERS_JOINED),
        Text(text=LETTERS_APART, size="small"),
        Text(text="The quick brown fox jumps over the lazy dog.", align="center", size="small"),
        Pair(label="۰۱۲۳۴۵۶۷۸۹", value="0123456789 ABCDEF", ltr=True),
        Amount(label=say("amount_sample"), amount_rial=1_234_567_890),
        Rule(look="dotted"),
        Rule(look="double"),
        *qr_rows(facts.url, say("qr_test")),
    ]
    return finished("test_page", rows, language, copy=False, training=training)


class Words:
    """The words and digits of one language."""

    def __init__(self, language: Language) -> None:
        """Speak this language."""
        self.language: Language = language

    def __call__(self, key: str) -> str:
        """Return the text of a key."""
        return word(key, self.language)

    def digits(self, number: int) -> str:
        """Return a number in the language's digits."""
        return persian_digits(str(number)) if self.language == "fa" else str(number)


def finished(kind: ReceiptKind, rows: list[AnyRow], language: Language, *, copy: bool, training: bool) -> Receipt:
    """Return the receipt with its marks: «آزمایشی» at both ends, so that no half of the paper passes for real."""
    if training:
        mark = Mark(text=word("training", language), look="band")
        rows = [mark, *rows, mark]
    receipt = Receipt(kind=kind, language=language, copy=False, training=training, rows=tuple(rows))
    return as_copy(receipt) if copy else receipt


def heading(office_name: str, office_code: str, say: Words) -> list[AnyRow]:
    """Return the office's name and code, as every paper begins."""
    code = persian_digits(office_code) if say.language == "fa" else office_code
    return [
        Title(text=office_name),
        Text(text=say("office_line").format(code=code), align="center", size="small"),
        Rule(look="double"),
    ]


def _state(confirmation: Confirmation, say: Words, *, stated: bool) -> Mark:
    """Return the state in the words of the pages; paid, stated to be paid and confirmed never look the same."""
    match confirmation:
        case "confirmed":
            return Mark(text=say("state_confirmed"), look="frame", icon="check")
        case "refused":
            return Mark(text=say("state_review"), look="frame", icon="alert")
        case _:
            return Mark(text=say("state_stated" if stated else "state_paid"), look="frame", icon="clock")


def when(at: datetime, say: Words) -> list[AnyRow]:
    """Return the rows of date and time."""
    return [
        Pair(label=say("date"), value=jalali_date_text(at, say.language)),
        Pair(label=say("time"), value=time_text(at, say.language)),
    ]


def _codes(say: Words, *codes: tuple[str, str | None]) -> list[AnyRow]:
    return [Pair(label=say(key), value=value, ltr=True) for key, value in codes if value]


def qr_rows(url: str | None, caption: str) -> list[AnyRow]:
    """Return the rows of a QR code, none without an address."""
    return [] if url is None else [Space(height_mm=1), QrCode(url=url, caption=caption)]


def _card_groups(pan: MaskedPan) -> str:
    """Return a masked number in fours, as cards carry it: `6104 33** **** 8596`."""
    return " ".join(pan[start : start + 4] for start in range(0, len(pan), 4))


def hex_groups(digits: str) -> str:
    """Return hex digits in fours, as papers are compared with one another."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
