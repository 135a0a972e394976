"""How ZVT writes things: messages, digits, and the two ways members are packed. No I/O, and no meaning.

A message (APDU) is `class | instruction | length | data`; a length from 255 on is `FF` and two bytes, low one first.
Data is a row of BMPs: a byte that names the member and says how long it is. Some have their length before them, a
digit a byte (`F1 F4`: fourteen). BMP 06 holds a TLV container, with the tags and lengths of ASN.1.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

LONG: Final = 0xFF
"""A length byte that says: the length is in the next two."""
APDU_BYTES_MAX: Final = 4_096
"""Longer than any message of a payment; texts to be printed come in pieces of a few hundred bytes."""

_DIGIT: Final = 0x0F
_MORE: Final = 0x80
_TAG_GOES_ON: Final = 0x1F
_HOLDS_OTHERS: Final = 0x20
_DEPTH_MAX: Final = 4


class AnswerError(ValueError):
    """Bytes that are no message of this protocol. The text holds no content: it may go to a log."""


class Apdu(msgspec.Struct, frozen=True):
    """A message: class and instruction as one number of two bytes, and its data."""

    control: int
    data: bytes = b""


class Tlv(msgspec.Struct, frozen=True):
    """An object of a TLV container. `tag` is hexadecimal, as the papers write it (`1F1F`)."""

    tag: str
    value: bytes


# --- messages --------------------------------------------------------------------------------------------------------


def encode_apdu(apdu: Apdu) -> bytes:
    """Return the bytes of a message. Raises ValueError for one that is too long."""
    size = len(apdu.data)
    if size > APDU_BYTES_MAX:
        raise ValueError("a message does not fit its length")
    length = bytes([size]) if size < LONG else bytes([LONG]) + size.to_bytes(2, "little")
    return apdu.control.to_bytes(2, "big") + length + apdu.data


def split_apdu(data: bytes) -> tuple[Apdu, int] | None:
    """Return the message that bytes begin with and how many of them it takes; None while it is not whole.

    Raises AnswerError when it claims to be longer than any there is.
    """
    head = 3
    if len(data) < head:
        return None
    size = data[2]
    if size == LONG:
        head = 5
        if len(data) < head:
            return None
        size = int.from_bytes(data[3:5], "little")
    if size > APDU_BYTES_MAX:
        raise AnswerError("a message is longer than any there is")
    if len(data) < head + size:
        return None
    return Apdu(int.from_bytes(data[:2], "big"), data[head : head + size]), head + size


def read_apdu(data: bytes) -> Apdu:
    """Return the message that bytes are, whole. Raises AnswerError when they are less or more than one."""
    found = split_apdu(data)
    if found is None or found[1] != len(data):
        raise AnswerError("a frame holds one message")
    return found[0]


# --- digits ----------------------------------------------------------------------------------------------------------


def bcd(digits: str) -> bytes:
    """Return digits two a byte. Raises ValueError for anything else, or an odd number of them."""
    if not (digits.isascii() and digits.isdecimal()):
        raise ValueError("digits are packed")
    return bytes.fromhex(digits)


def read_bcd(packed: bytes) -> str:
    """Return packed digits. Raises AnswerError when there are others."""
    text = packed.hex()
    if not text.isdecimal():
        raise AnswerError("a number has signs that are no digits")
    return text


def _counted(data: bytes, at: int, digits: int) -> tuple[int, int]:
    """Return a length written a digit a byte, and where its member begins."""
    written = data[at : at + digits]
    if len(written) < digits or any(byte & _DIGIT > 9 for byte in written):  # noqa: PLR2004 - a digit
        raise AnswerError("a length is cut or has signs that are no digits")
    return int("".join(str(byte & _DIGIT) for byte in written)), at + digits


# --- members ---------------------------------------------------------------------------------------------------------

Length = int | Literal["LL", "LLL", "TLV"]

BMP_LENGTHS: Final[dict[int, Length]] = {
    **dict.fromkeys((0x01, 0x02, 0x03, 0x05, 0x19, 0x27, 0x8A, 0x8C, 0xA0, 0xD0, 0xD2, 0xD3), 1),
    **dict.fromkeys((0x72, 0x73, 0x74, 0x75, 0xE0, 0xE9, 0xEA, 0xF0, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD), 1),
    **dict.fromkeys((0x0D, 0x0E, 0x17, 0x3A, 0x49, 0x87), 2),
    **dict.fromkeys((0x0B, 0x0C, 0x37, 0x3D, 0x88, 0xAA), 3),
    **dict.fromkeys((0x29, 0x70, 0x71), 4),
    0xBA: 5,
    0x04: 6,
    **dict.fromkeys((0x3B, 0xEB), 8),
    0x2A: 15,
    **dict.fromkeys((0x22, 0x23, 0x2D, 0x8B, 0xA7, 0xD1), "LL"),
    **dict.fromkeys((*range(0xE1, 0xE9), *range(0xF1, 0xF9)), "LL"),
    **dict.fromkeys((0x24, 0x2E, 0x3C, 0x60, 0x9A, 0xAF), "LLL"),
    0x06: "TLV",
}
"""How long each BMP is: fixed, after a length of two or three digits, or after one of ASN.1."""


def read_bmps(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the members of a row of BMPs, in order, BMP 06 with its container's bytes.

    Raises AnswerError for a BMP that is not known, which cannot be stepped over, and for one that is cut.
    """
    at = 0
    while at < len(data):
        bmp = data[at]
        at += 1
        match BMP_LENGTHS.get(bmp):
            case None:
                raise AnswerError("a member is not known: how long it is cannot be told")
            case "LL":
                size, at = _counted(data, at, 2)
            case "LLL":
                size, at = _counted(data, at, 3)
            case "TLV":
                size, at = _tlv_length(data, at)
            case fixed:
                size = int(fixed)
        if at + size > len(data):
            raise AnswerError("a member is cut short")
        yield bmp, data[at : at + size]
        at += size


def _tlv_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length that stands at a place, and where what it counts begins."""
    first = data[at] if at < len(data) else None
    if first is None:
        raise AnswerError("a length is cut")
    if first < _MORE:
        return first, at + 1
    count = first - _MORE
    if not 1 <= count <= 2 or at + 1 + count > len(data):  # noqa: PLR2004 - a message has no longer ones
        raise AnswerError("a length is cut, or longer than any message")
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count


def read_tlv(container: bytes, depth: int = 0) -> Iterator[Tlv]:
    """Yield the objects of a container, those that hold others replaced by what they hold.

    Raises AnswerError when they do not fill it exactly.
    """
    at = 0
    while at < len(container):
        begin = at
        at += 1
        if container[begin] & _TAG_GOES_ON == _TAG_GOES_ON:
            while at < len(container) and container[at] & _MORE:
                at += 1
            at += 1
        if at > len(container):
            raise AnswerError("a tag is cut")
        tag = container[begin:at]
        size, at = _tlv_length(container, at)
        value = container[at : at + size]
        if len(value) < size:
            raise AnswerError("an object is cut short")
        at += size
        if tag[0] & _HOLDS_OTHERS and depth < _DEPTH_MAX:
            yield from read_tlv(value, depth + 1)
        else:
            yield Tlv(tag.hex().upper(), value)


def tlv(tag: str, value: bytes) -> bytes:
    """Return one object. Raises ValueError when it is longer than a container of ours can be."""
    if len(value) >= _MORE:
        raise ValueError("an object of ours is short")
    return bytes.fromhex(tag) + bytes([len(value)]) + value
