"""What only one protocol's models differ by: one section a protocol, in a profile under the protocol's own name.

A section of another protocol is refused, and so is a member that a section does not know.
"""

from typing import Annotated

import msgspec

SixDigits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3}$")]
"""ISO 4217's number of a currency: 364 is the rial."""
RIAL_CODE = "364"


class SadadOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sadad: what a request says of the box's program, and how sales are searched for."""

    api_version: Annotated[str, msgspec.Meta(pattern=r"^[0-9.]{1,20}$")] = "5.3.185.1336"


class AsanPardakhtOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asan Pardakht: its models differ by nothing that is documented."""


class ZvtOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ZVT: the till's password at the terminal, and the currency it works in."""

    password: SixDigits = "000000"  # noqa: S105 - the default of every till, printed in the makers' papers
    currency: CurrencyCode = RIAL_CODE


class TeliumEOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Telium's protocol E: the currency it works in."""

    currency: CurrencyCode = RIAL_CODE
