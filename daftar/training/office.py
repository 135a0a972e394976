"""Making the office of a training: a folder with a new key and a new journal, made anew at each start.

What was trained before is gone then, and nothing of it can ever be taken for the office's: another key signed it, under
another journal's name, that central never heard of.
"""

import shutil
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from daftar.small_central import KEY_NAMES, link_to
from daftar.training.answers import Answers
from daftar.training.centre import TrainingCentre
from edge.journal.signer import FileSigner
from edge.journal.views import Identity
from edge.settings import KEY_NAME, SOFTWARE, STORE_NAME, PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.creation import create_box
from edge.store.people import People
from edge.store.queries import Queries
from shared.catalogue_files import built_in_catalogue
from shared.clock import Clock, instant_text
from shared.entropy import Entropy
from shared.ids import NETWORK_FEED, BoxId, OfficeId, journal_id, office_feed
from sync.messages import TOKEN_SIZE_BYTES

FOLDER: Final = "training"
BOX: Final = BoxId("training")
TERMINAL_MODEL: Final = "daftar/virtual"
TERMINAL_NAMES: Final = ("باجه ۱", "باجه ۲")
PRINTER_MODEL: Final = "daftar/virtual_80mm"
_KEY_BYTES: Final = 32


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where the training listens: its pages on the office's network, everything else on loopback."""

    box: int
    desk: int
    terminals: tuple[int, int]
    printer: int
    line: int
    centre: int


def make_office(
    data: Path, real: Settings, ports: Ports, clock: Clock, entropy: Entropy
) -> tuple[Path, TrainingCentre]:
    """Make the training of the box in `data` anew; return its folder and the centre it exchanges with.

    Raises what `FileSigner.create`, `create_box` and opening the office's own file raise.
    """
    folder = data / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    office = _office_of(data)
    signer = FileSigner.create(folder / KEY_NAME, entropy)
    keys = {name: Ed25519PrivateKey.from_private_bytes(entropy.token_bytes(_KEY_BYTES)) for name in KEY_NAMES}
    # Data keys are wrapped to a key whose private half nobody keeps: this centre opens nothing.
    wrapping = X25519PrivateKey.from_private_bytes(entropy.token_bytes(_KEY_BYTES)).public_key().public_bytes_raw()
    journal, token = journal_id(office, BOX, 1), entropy.token_bytes(TOKEN_SIZE_BYTES)
    feeds = (office_feed(office), NETWORK_FEED)
    identity = Identity(
        office=office,
        box=BOX,
        journal_id=journal,
        public_key=signer.public_key.hex(),
        central=link_to(f"http://127.0.0.1:{ports.line}", keys, feeds, wrapping=wrapping.hex()),
    )
    create_box(
        folder / STORE_NAME, identity, signer=signer, clock=clock, entropy=entropy, software=SOFTWARE, token=token
    )
    save_settings(folder, training_settings(real, ports))
    copy_people(data / STORE_NAME, folder / STORE_NAME)
    centre = TrainingCentre(
        journal,
        signer.public_key,
        office=office,
        keys=keys,
        first_token=token,
        answers=Answers(built_in_catalogue(), lambda: instant_text(clock.now())),
        clock=clock,
        entropy=entropy,
    )
    return folder, centre


def _office_of(data: Path) -> OfficeId:
    queries = Queries(data / STORE_NAME)
    try:
        return OfficeId(queries.identity().office)
    finally:
        queries.close()


def training_settings(real: Settings, ports: Ports) -> Settings:
    """Return the settings of training: the office's own, with virtual devices and nothing of the real ones."""
    return msgspec.structs.replace(
        real,
        terminals=tuple(
            TerminalSettings(name=name, host="127.0.0.1", port=port, profile=TERMINAL_MODEL)
            for name, port in zip(TERMINAL_NAMES, ports.terminals, strict=True)
        ),
        printer=PrinterSettings(profile=PRINTER_MODEL, host="127.0.0.1", port=ports.printer),
        port=ports.box,
        exchange_every_s=5,
        doubt_every_s=30,
        device_check_every_s=5,
        profile_bundle="none",
        head_copy_folder=None,
        demo=False,
        training=True,
        training_address=f":{ports.desk}",
    )


def copy_people(real: Path, training: Path) -> None:
    """Let the office's people in with the passwords they have. A password changed since is taken at the next start."""
    source, target = People(real), People(training)
    try:
        for person in source.operators():
            verifier = source.verifier(person.username)
            if verifier is not None:
                target.save_operator(person.username, name=person.name, verifier=verifier, role=person.role)
    finally:
        source.close()
        target.close()
