"""Banks as data: their codes (the three digits in every Sheba), names, and which were merged into which."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from shared.text import Language

_FILE: Final = "banks.toml"

BankCode = Annotated[str, msgspec.Meta(pattern=r"^0[0-9]{2}\Z")]


class Bank(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bank or credit institution. One that was merged keeps its code: machines, Shebas and cards still carry it."""

    code: BankCode
    fa: str
    en: str
    merged_into: BankCode | None = None
    merged_on: str | None = None
    """Jalali date, where it is known."""

    def name(self, language: Language) -> str:
        """Return the bank's own name, as people say it."""
        return self.fa if language == "fa" else self.en


class _Banks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    banks: tuple[Bank, ...]


@cache
def _table() -> _Banks:
    return msgspec.toml.decode(files("shared").joinpath(_FILE).read_bytes(), type=_Banks)


@cache
def banks() -> dict[str, Bank]:
    """Return every bank by its code: those that stand for themselves first, then those that were merged."""
    found = sorted(_table().banks, key=lambda bank: (bank.merged_into is not None, bank.code))
    return {bank.code: bank for bank in found}


def bank_text(code: str, language: Language) -> str:
    """Return a bank's name, with the one it belongs to now where it was merged; an unknown code is its own name."""
    bank = banks().get(code)
    if bank is None:
        return code
    into = None if bank.merged_into is None else banks()[bank.merged_into]
    if into is None:
        return bank.name(language)
    return f"{bank.fa} (اکنون {into.fa})" if language == "fa" else f"{bank.en} (now {into.en})"
