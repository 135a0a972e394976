"""Which model a device is, by what it says of itself: by the marks that a profile names, and by nothing else."""

from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec

from firmware_profiles.links import UsbIdentity
from firmware_profiles.printer_profile import PrinterProfile
from firmware_profiles.profile import ProtocolName, TerminalProfile

Model = TypeVar("Model", TerminalProfile, PrinterProfile)


class DeviceClues(msgspec.Struct, frozen=True, kw_only=True):
    """What a device said, or how it was found."""

    protocol: ProtocolName | None = None
    """The family, where the way it was found says so."""
    usb_vendor: str | None = None
    usb_product: str | None = None
    texts: tuple[str, ...] = ()
    """What it calls itself: on USB, in its call, in an answer about the device."""

    @property
    def text(self) -> str:
        """Return all of it in one line, for people."""
        usb = f"USB {self.usb_vendor}:{self.usb_product or '????'}" if self.usb_vendor else ""
        return " · ".join(part for part in (self.protocol or "", usb, *self.texts) if part)


class _Match(msgspec.Struct, Generic[Model], frozen=True):
    """How a profile fits: by which USB mark, by which words."""

    profile: Model
    usb: UsbIdentity | None
    words: tuple[str, ...]

    def outdone_by(self, other: "_Match[Model]") -> bool:
        """Return whether another fits by the same marks and more: `iCT250 USB` says more than `iCT250`."""
        if (
            self.usb is not None
            and other.usb is not None
            and self.usb.product is None
            and other.usb.product is not None
        ):
            return True
        return bool(self.words) and all(
            any(word in more and word != more for more in other.words) for word in self.words
        )


def _fits(mark: UsbIdentity, clues: DeviceClues) -> bool:
    return mark.vendor == clues.usb_vendor and mark.product in {None, clues.usb_product}


def _match(profile: Model, clues: DeviceClues) -> _Match[Model] | None:
    """Return how a device can be this model, or None: one mark must be there, and nothing it said speak against it."""
    if clues.protocol not in {None, profile.protocol}:
        return None
    marks = profile.marks
    usb = next((mark for mark in marks.usb if _fits(mark, clues)), None)
    if marks.usb and clues.usb_vendor is not None and usb is None:
        return None
    said = " ".join(clues.texts).casefold()
    words = tuple(word.casefold() for word in marks.names if word.casefold() in said)
    return _Match(profile, usb, words) if usb is not None or words else None


def fitting(profiles: Iterable[Model], clues: DeviceClues) -> list[Model]:
    """Return the models a device can be. A profile without marks is never among them: it is named by a person only."""
    found = [match for profile in profiles if (match := _match(profile, clues)) is not None]
    return [one.profile for one in found if not any(one.outdone_by(other) for other in found)]
