"""All profiles at hand, by name. Exactly one profile bears a name; a document that is not understood is refused.

A document's place says what it is: `terminals/<maker>/<model>.toml`, `printers/<maker>/<model>.toml`,
`protocols/<name>.toml`, under any folder. Nothing here opens a file: whoever has the bytes gives them.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec

from firmware_profiles.matching import DeviceClues, Model, fitting
from firmware_profiles.printer_profile import PrinterProfile
from firmware_profiles.profile import ProtocolProfile, TerminalProfile
from shared.errors import DeviceError

Profile = TypeVar("Profile", bound=msgspec.Struct)


def _decode(path: str, content: bytes, kind: type[Profile]) -> Profile:
    """Return the document as a profile. Raises DeviceError `profile.malformed` naming the file and the member."""
    try:
        profile: Profile = _understood(content, kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DeviceError("profile.malformed", file=path, why=str(error)) from error
    return profile


@lru_cache(maxsize=512)
def _understood(content: bytes, kind: type[Any]) -> Any:
    """Read a document once: profiles do not change, and reading all of them again takes longer than a payment."""
    return msgspec.toml.decode(content, type=kind)


class ProfileRegistry:
    """Every known model of terminal and printer."""

    def __init__(self, terminals: Mapping[str, TerminalProfile], printers: Mapping[str, PrinterProfile]) -> None:
        self._terminals = dict(terminals)
        self._printers = dict(printers)

    @property
    def terminals(self) -> tuple[TerminalProfile, ...]:
        """Return the terminals' profiles, by name."""
        return tuple(self._terminals[name] for name in sorted(self._terminals))

    @property
    def printers(self) -> tuple[PrinterProfile, ...]:
        """Return the printers' profiles, by name."""
        return tuple(self._printers[name] for name in sorted(self._printers))

    def terminal(self, name: str) -> TerminalProfile:
        """Return the profile of a terminal by `maker/model`. Raises DeviceError `profile.unknown`."""
        if name not in self._terminals:
            raise DeviceError("profile.unknown", name=name, known=", ".join(sorted(self._terminals)))
        return self._terminals[name]

    def match_terminal(self, clues: DeviceClues) -> TerminalProfile:
        """Return the one model that a device is, by what it says of itself.

        Raises DeviceError `profile.no_match`, or `profile.ambiguous` when more than one could be meant: a person
        chooses then, a guess could read a refusal as an approval.
        """
        return _only(fitting(self.terminals, clues), clues)

    def match_printer(self, clues: DeviceClues) -> PrinterProfile:
        """Return the one model that a printer is, by what it says of itself. Raises as `match_terminal`."""
        return _only(fitting(self.printers, clues), clues)

    def printer(self, name: str) -> PrinterProfile:
        """Return the profile of a printer by `maker/model`. Raises DeviceError `profile.unknown`."""
        if name not in self._printers:
            raise DeviceError("profile.unknown", name=name, known=", ".join(sorted(self._printers)))
        return self._printers[name]


def _only(found: list[Model], clues: DeviceClues) -> Model:
    if not found:
        raise DeviceError("profile.no_match", said=clues.text)
    if len(found) > 1:
        raise DeviceError("profile.ambiguous", said=clues.text, names=", ".join(one.name for one in found))
    return found[0]


class _Reading:
    """Documents sorted by kind while they are read, so that protocols may come after the models that use them."""

    def __init__(self) -> None:
        self.protocols: dict[str, ProtocolProfile] = {}
        self.terminals: dict[str, tuple[str, TerminalProfile]] = {}
        self.printers: dict[str, PrinterProfile] = {}

    def take(self, path: str, content: bytes) -> None:
        """Read one document. Raises DeviceError `profile.malformed`, `profile.misplaced` or `profile.duplicate`."""
        match PurePosixPath(path).parts:
            case (*_, "protocols", _):
                protocol = _decode(path, content, ProtocolProfile)
                self._place(path, protocol.protocol, self.protocols)
                self.protocols[protocol.protocol] = protocol
            case (*_, "terminals", _, _):
                terminal = _decode(path, content, TerminalProfile)
                self._place(path, terminal.name, self.terminals)
                self.terminals[terminal.name] = (path, terminal)
            case (*_, "printers", _, _):
                printer = _decode(path, content, PrinterProfile)
                self._place(path, printer.name, self.printers)
                self.printers[printer.name] = printer
            case _:
                raise DeviceError("profile.misplaced", file=path, name="?")

    @staticmethod
    def _place(path: str, name: str, known: Mapping[str, object]) -> None:
        if not PurePosixPath("/", path).with_suffix("").as_posix().endswith(f"/{name}"):
            raise DeviceError("profile.misplaced", file=path, name=name)
        if name in known:
            raise DeviceError("profile.duplicate", file=path, name=name)

    def finish(self) -> ProfileRegistry:
        """Join each terminal with its protocol's codes. Raises DeviceError `profile.malformed` without a protocol."""
        terminals: dict[str, TerminalProfile] = {}
        for name, (path, profile) in self.terminals.items():
            if profile.protocol not in self.protocols:
                raise DeviceError(
                    "profile.malformed", file=path, why=f"no protocol {profile.protocol!r} - at `$.protocol`"
                )
            codes = {**self.protocols[profile.protocol].codes, **profile.codes}
            terminals[name] = msgspec.structs.replace(profile, codes=codes)
        return ProfileRegistry(terminals, self.printers)


def from_documents(documents: Mapping[str, bytes]) -> ProfileRegistry:
    """Return the registry of documents given as {path: bytes}.

    Raises DeviceError: `profile.malformed` (file and member named), `profile.misplaced` (maker and model are not the
    folder's and file's names), `profile.duplicate` (two documents bear one name).
    """
    reading = _Reading()
    for path in sorted(documents):
        reading.take(path, documents[path])
    return reading.finish()
