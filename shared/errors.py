"""Errors by whose fault, each with a stable code and its texts in Persian and English.

    DaftarError
      OperatorError    what was typed or asked cannot be done; nothing happened
      DeviceError      a terminal, printer or disk did not do its part
      PeerError        the other side of a wire said something wrong, or nothing
      IntegrityError   signed facts disagree; never retried, never repaired silently
      BugError         we did something the rules forbid

A code is public and stable: `area.what`. Its texts stand in `shared.error_texts`: what happened, whether money moved,
what to do now. Data is in attributes; words are in the table.
"""

from typing import ClassVar, Literal

Money = Literal["none", "not_moved", "may_have_moved", "moved"]
"""Whether money moved: the matter has none, certainly not, unknown, certainly."""


class DaftarError(Exception):
    """An error with a code of the table. `field` names the input it is about, `data` fills its texts."""

    fault: ClassVar[str] = "bug"

    def __init__(self, code: str, *, field: str | None = None, **data: object) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.data = data

    def __str__(self) -> str:
        """Return code and data, for logs; never shown to an operator."""
        facts = " ".join(f"{name}={value}" for name, value in sorted(self.data.items()))
        return f"{self.code} {facts}".rstrip()


class OperatorError(DaftarError):
    """What was typed or asked cannot be done."""

    fault = "operator"


class DeviceError(DaftarError):
    """A device did not do its part."""

    fault = "device"


class PeerError(DaftarError):
    """The other side of a wire said something wrong, or nothing."""

    fault = "peer"


class IntegrityError(DaftarError):
    """Signed facts disagree. Never retried."""

    fault = "integrity"


class BugError(DaftarError):
    """We did something the rules forbid."""

    fault = "bug"
