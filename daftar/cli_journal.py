"""`daftar journal`: check an exported journal with nothing but public keys. Imports nothing of a box or of central."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import click

from shared.calendar import jalali_datetime_text
from shared.errors import IntegrityError
from shared.journal.cosignature import witness_key as as_witness_key
from shared.journal.export import ExportReport, verify_export
from shared.journal.export_format import LINE_SIZE_MAX_BYTES
from shared.journal.note import COSIGNATURE_V1, ED25519, NoteKey, parse_key

_PUBLIC_KEY_DIGITS = 64
_MARKS = {True: "holds      ", False: "DOES NOT   ", None: "not checked"}


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the file's lines; one that is too long to be of a journal comes cut, and is then refused."""
    while line := file.readline(LINE_SIZE_MAX_BYTES + 1):
        yield line


def _box_key(text: str) -> tuple[bytes, str | None]:
    """Return the key's bytes, and the journal's name when the key says it."""
    digits = text.strip().lower()
    if len(digits) == _PUBLIC_KEY_DIGITS and all(digit in "0123456789abcdef" for digit in digits):
        return bytes.fromhex(digits), None
    try:
        key = parse_key(text)
    except IntegrityError as error:
        raise click.BadParameter("give 64 hex digits, or name+hash+key in one word", param_hint="--box-key") from error
    if key.algorithm != ED25519:
        raise click.BadParameter("this is not a key that signs journals", param_hint="--box-key")
    return key.public_key, key.name


def _witness_key(text: str) -> NoteKey:
    try:
        key = parse_key(text)
    except IntegrityError as error:
        raise click.BadParameter("give name+hash+key in one word", param_hint="--witness-key") from error
    if key.algorithm != COSIGNATURE_V1:
        raise click.BadParameter("this is not a key that cosigns", param_hint="--witness-key")
    return as_witness_key(key.name, key.public_key)


def _seen(report: ExportReport) -> str:
    """Return when the witness cosigned, by its own clock."""
    if report.cosigned_at_s is None:
        return ""
    try:
        at = datetime.fromtimestamp(report.cosigned_at_s, UTC)
        return f"Cosigned at {at:%Y-%m-%d %H:%M:%S} UTC ({jalali_datetime_text(at, 'en')} in Iran)."
    except (ValueError, OverflowError, OSError):
        return f"Cosigned at an impossible time ({report.cosigned_at_s} s)."


@click.group("journal")
def journal() -> None:
    """Check exported journals."""


@journal.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option("--box-key", required=True, metavar="KEY", help="The box's public key: 64 hex digits or name+hash+key.")
@click.option("--witness-key", metavar="KEY", help="Central's cosigning key, name+hash+key: also check what it saw.")
@click.pass_context
def verify(context: click.Context, file: BinaryIO, box_key: str, witness_key: str | None) -> None:
    """Check the exported journal in FILE.

    Says what holds and what does not; - is standard input. Needs no network, no box and no central. Ends with 1 when
    anything does not hold.
    """
    public_key, origin = _box_key(box_key)
    witness = _witness_key(witness_key) if witness_key else None
    report = verify_export(_lines(file), public_key, witness, origin=origin)
    click.echo(f"Journal {report.origin or '(no name)'}: {report.size} entries read.")
    for finding in report.findings:
        click.echo(f"  {_MARKS[finding.holds]}  {finding.text}")
    if seen := _seen(report):
        click.echo(seen)
    if report.holds:
        click.echo("Everything that was checked holds.")
        return
    if report.first_bad_line:
        click.echo(f"First bad line: {report.first_bad_line}.")
    click.echo("This journal does not hold as it stands. Keep the file as it is and call support.")
    context.exit(1)
