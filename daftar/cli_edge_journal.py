"""What a technician does with a box's journal and its key: export, stick, rotate-key, close-journal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from edge.journal.export import Exported, export_lines, write_durably
from edge.journal.signer import FileSigner
from edge.journal.stick import find_stick, write_stick
from edge.journal.verify import current_key
from edge.services.journal.close_journal import Reason
from edge.services.journal.close_journal import close_journal as close
from edge.services.journal.rotate_key import rotate_key as rotate
from edge.settings import KEY_NAME, SOFTWARE, STORE_NAME
from edge.store.queries import Queries
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.journal.note import NoteKey

_STDOUT = Path("-")

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The box's folder: box.key, box.sqlite and box.toml.",
)
_from = click.option("--from", "first", type=click.IntRange(min=0), default=0, help="First entry; 0 when not given.")
_to = click.option("--to", "last", type=click.IntRange(min=0), help="Last entry, included; the newest when not given.")


class _Export(msgspec.Struct, frozen=True):
    """An export that is ready to be written, and the keys to check it with."""

    exported: Exported
    journal: str
    key: str
    witness: str


@contextmanager
def _exporting(data: Path, first: int, last: int | None) -> Iterator[_Export]:
    queries = Queries(data / STORE_NAME)
    try:
        identity = queries.identity()
        signer = FileSigner.load_current(data / KEY_NAME, current_key(queries, identity))
        yield _Export(
            exported=export_lines(queries, identity, signer, cosigned=queries.cosigned_note(), first=first, last=last),
            journal=identity.journal_id,
            key=NoteKey(identity.journal_id, signer.public_key).text(),
            witness="" if identity.central is None else identity.central.trust.witness,
        )
    finally:
        queries.close()


@click.command()
@data_option
@_from
@_to
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(data: Path, file: Path, first: int, last: int | None) -> None:
    """Write the journal, or a range of it, to FILE; - is standard output.

    Prints the public keys for `daftar journal verify FILE`. Works while the box serves.
    """
    to_stdout = file == _STDOUT
    with _exporting(data, first, last) as ready:
        if to_stdout:
            stream = sys.stdout.buffer
            for line in ready.exported.lines:
                stream.write(line.encode())
            stream.flush()
        else:
            write_durably(file, (line.encode() for line in ready.exported.lines))
        count = ready.exported.end - ready.exported.first
        click.echo(f"{count} entries; box key {ready.key}", err=to_stdout)
        if ready.witness:
            click.echo(f"witness key {ready.witness}", err=to_stdout)


@click.command()
@data_option
@_from
@_to
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
def stick(data: Path, folder: Path | None, first: int, last: int | None) -> None:
    """Write the journal, or a range of it, onto a USB stick.

    FOLDER is where the stick is mounted; without it, the one that is plugged in is looked for. Beside the journal stand
    the verifier and a page that says how to use it. Every file is read back from the stick. Works while the box serves.
    """
    target = find_stick() if folder is None else folder
    with _exporting(data, first, last) as ready:
        written = write_stick(target, ready.exported, journal=ready.journal, key=ready.key, witness=ready.witness)
        range_text = f"entries {ready.exported.first} to {ready.exported.end - 1} of {ready.journal}"
    click.echo(f"On {target} now stand {range_text}, written and read back:")
    for one in written:
        click.echo(f"  {one.path.name}  {one.size_bytes} bytes  SHA-256 {one.sha256}")
    click.echo("The stick may be taken out once the system has unmounted it.")


@click.command(name="rotate-key")
@data_option
@click.option("--operator", default="", help="Who does it; stands in the journal.")
def rotate_key(data: Path, operator: str) -> None:
    """Give the box a new signing key, in the same journal.

    Stop the box first. The old key signs that the new one takes over; central follows at the next exchange. Safe to run
    again, and to start the box again, after a power cut at any moment.
    """
    public_key = rotate(
        data / STORE_NAME, data / KEY_NAME, clock=SystemClock(), entropy=SystemEntropy(), operator=operator
    )
    queries = Queries(data / STORE_NAME)
    try:
        journal = queries.identity().journal_id
    finally:
        queries.close()
    click.echo(f"The box's key from now on: {NoteKey(journal, public_key).text()}")


@click.command(name="close-journal")
@data_option
@click.option(
    "--reason",
    type=click.Choice(["replaced", "retired", "restored"]),
    required=True,
    help="Why: the box is replaced by another, retired, or was restored from an image.",
)
@click.option("--operator", default="", help="Who does it; stands in the journal.")
def close_journal(data: Path, reason: Reason, operator: str) -> None:
    """Close the box's journal for good.

    Stop the box first. Its last entry names the payments in doubt. Start the box again afterwards: it takes no payment,
    shows its history, and hands over to central what is not there yet. The next journal is opened by enrolling a new
    folder with a code for this box.
    """
    size, left = close(
        data / STORE_NAME,
        data / KEY_NAME,
        reason=reason,
        operator=operator,
        software=SOFTWARE,
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    click.echo(f"Closed with {size} entries. Payments left in doubt: {', '.join(left) or 'none'}")
