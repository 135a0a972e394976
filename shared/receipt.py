"""What a receipt says: typed rows of words, no pixels. `shared.paper_filling` makes them of a layout and facts.

A receipt is spooled as JSON (`encode`, `decode`) and laid out later for whatever paper is there. Amounts are whole
rials until the very row that shows them. What a person reads has the language's digits; what is typed or compared with
another paper (bill id, RRN, terminal number) keeps Latin digits, left to right.
"""

from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec

from shared.text import Language

ReceiptKind = Literal[
    "bill_receipt",
    "service_receipt",
    "fine_receipt",
    "order_receipt",
    "group_slip",
    "inquiry_ticket",
    "service_ticket",
    "refund_slip",
    "day_slip",
    "cash_slip",
    "test_page",
    "provisioning_report",
]
Align = Literal["start", "center", "end"]
Size = Literal["small", "normal", "large", "huge"]
Icon = Literal["none", "check", "clock", "alert"]
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


class PlateNumber(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vehicle's plate, part by part as it is read: `99 ل 283` and the region 88."""

    two: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}\Z")]
    letter: Annotated[str, msgspec.Meta(min_length=1, max_length=6)]
    three: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3}\Z")]
    region: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}\Z")]


class Plate(Row, frozen=True, tag="plate"):
    """A plate drawn as a plate: the one thing that cannot be turned round in the line."""

    plate: PlateNumber


class Logo(Row, frozen=True, tag="logo"):
    """Our own emblem, centred."""

    height_mm: Annotated[int, msgspec.Meta(ge=4, le=30)] = 9


AnyRow = Title | Text | Pair | Amount | Mark | Rule | QrCode | Space | Plate | Logo


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


def receipt_url(verify_base: str, journal: str, index: int, leaf: str) -> str:
    """Return the address the QR code holds: `{verify_base}/r/{journal}/{index}/{first hex digits of the leaf}`."""
    return f"{verify_base.rstrip('/')}/r/{quote(journal, safe='/')}/{index}/{leaf[:LEAF_DIGITS]}"


def status_url(verify_base: str, inquiry_id: str) -> str:
    """Return the address of the public page that says how a request stands: `{verify_base}/status/{inquiry_id}`.

    The name of a request is drawn at random and stands on its ticket alone: who has it may see that page.
    """
    return f"{verify_base.rstrip('/')}/status/{quote(inquiry_id, safe='')}"
