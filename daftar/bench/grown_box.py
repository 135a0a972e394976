"""A whole box with a journal of a given size: key, file, settings, an operator; payments with real signatures.

A payment is four entries: requested, sent, approved, printed. Made once in a folder and used again from there: a
journal of a million entries takes minutes to sign.
"""

import hashlib
import socket
from pathlib import Path
from typing import Final

import apsw

from daftar.bench.bulk import ENTRIES_OF_PAYMENT, Bulk, payment_facts
from daftar.bench.scratch_box import ScratchBox
from edge.services.people.sign_in import new_verifier
from edge.settings import STORE_NAME, PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import OPERATOR, People
from edge.store.schema.tables import FACTS, GUARDS, OUTSIDE, PAGE_SIZE_BYTES, PROJECTED

_SCHEMA: Final = hashlib.sha256(repr((FACTS, GUARDS, PROJECTED, OUTSIDE, PAGE_SIZE_BYTES)).encode()).hexdigest()[:8]
"""Names the tables: a box that another release made is not used again."""
USERNAME: Final = "bench"
PASSWORD: Final = "a-password-for-the-bench"  # noqa: S105 - of a scratch box that lives as long as the bench
_LAST: Final = 10
"""Payments at the end that the product writes."""


def grown_box(folder: Path, entries: int) -> Path:
    """Return the folder of a box whose journal has at least so many entries; make it unless it is there.

    The first payment and the last ones are written by the product. Those between are the first one again under other
    names, signed and chained one by one, and put into the same tables; a check of the whole file takes them for what
    they are.
    """
    home = folder / f"box-{entries}-{_SCHEMA}"
    if (home / "whole").exists():
        return home
    home.mkdir(exist_ok=True)
    for left in home.iterdir():
        left.unlink()
    count = max(2 * _LAST, entries // ENTRIES_OF_PAYMENT + 1)
    with ScratchBox(home) as box:
        box.writer.commit_blocking(lambda _: payment_facts(0))
        boot = box.writer.boot
    bulk = Bulk(home, boot)
    bulk.append(range(1, count - _LAST))
    bulk.close()
    with ScratchBox(home) as box:
        for number in range(count - _LAST, count):
            box.writer.commit_blocking(lambda _, number=number: payment_facts(number))  # type: ignore[misc]
        size = box.queries.size()
    _settle(home / STORE_NAME, size)
    people = People(home / STORE_NAME)
    people.save_operator(USERNAME, name="Bench", verifier=new_verifier(PASSWORD), role=OPERATOR)
    people.close()
    (home / "whole").touch()
    return home


def set_port(home: Path) -> int:
    """Give a box settings with a port that nobody listens on; return it. Its devices are not there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    save_settings(
        home,
        Settings(
            office_name="bench",
            terminals=(TerminalSettings(name="t", host="127.0.0.1", port=1, profile="daftar/virtual"),),
            printer=PrinterSettings(host="127.0.0.1", port=1, profile="daftar/virtual_80mm"),
            port=port,
            verify_base="http://127.0.0.1/r",
        ),
    )
    return port


def _settle(path: Path, size: int) -> None:
    """Have central have heard of and confirmed all but the last payments, as of a box that has a line."""
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE exchange_state SET cosigned_size = ?", (max(0, size - 40),))
    connection.execute(
        "UPDATE payment SET confirmation = 'confirmed' WHERE confirmation = 'queued' AND requested_index < ?",
        (size - 40,),
    )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
