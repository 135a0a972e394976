"""What every body shares: its base, and the bounds of numbers."""

from typing import Annotated, ClassVar, Literal

import msgspec

RIAL_MAX = 2**53 - 1
Rial = Annotated[int, msgspec.Meta(ge=0, le=RIAL_MAX)]
"""An amount that every reader of JSON and every database column can hold; decoding refuses others."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number of things, or a place among them."""

Method = Literal["pcpos", "ipg", "credit", "none"]
Purpose = Literal["bill", "inquiry_fee", "order"]
BillKind = Literal["water", "electricity", "gas", "landline", "mobile"]


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A fact. `type` is the entry type that carries it."""

    type: ClassVar[str]
