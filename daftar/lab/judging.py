"""Opening a box on what a power cut left, and holding it against what really happened.

On a disk that keeps its word everything acknowledged must be there, whole and of one piece (`judge_honest`). On one
that lies about its syncs things may be gone, but somebody must notice (`judge_lying`): the box itself when it opens or
verifies, or central when it is offered the journal.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import apsw
import msgspec

from daftar.lab.box import FILE, SIGNER, LabBox, repeatable
from daftar.lab.patching import patched
from daftar.lab.recording import Recording
from daftar.lab.witness import JOURNAL, Witness
from edge.journal.verify import verify_journal
from edge.journal.views import PaymentView
from edge.store.database import open_read_only, transaction
from edge.store.rebuild import rebuild_projections
from shared.errors import DaftarError, IntegrityError, OperatorError
from shared.events import AlarmRaised
from shared.journal import entry
from shared.journal.checkpoint import Checkpoint, checkpoint_text
from shared.journal.entry import leaf_hash
from shared.journal.note import NoteKey, sign_note
from shared.journal.tree import consistency_proof, root
from shared.journal.trusted import TrustedJournal
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

EVERYTHING: Final = 1_000_000
_OPEN: Final = frozenset({PaymentState.REQUESTED, PaymentState.SENT})
_AFTER_RESTART: Final = {PaymentState.REQUESTED: PaymentState.NOT_SENT, PaymentState.SENT: PaymentState.IN_DOUBT}
_KEY: Final = NoteKey(JOURNAL, SIGNER.public_key)

Found = Literal["nothing_lost", "at_open", "at_verify", "at_exchange", "unseen"]
"""Of a disk that lies: who noticed. `unseen`: what is gone had been shown to nobody but, perhaps, on a paper."""


class Cut(msgspec.Struct, frozen=True):
    """A power cut: of which recording, after how many of its I/Os, and what the disk still held."""

    recording: Recording
    at: int
    image: Mapping[str, bytes]

    def witness(self) -> Witness:
        """Return central as it was at the cut."""
        known: Witness | None = self.recording.truth.last(self.at, "witness")
        return (known or self.recording.first_witness).copy()


class Judgement(msgspec.Struct, frozen=True):
    """What was found after one cut."""

    violations: tuple[str, ...]
    found: Found = "nothing_lost"
    unworded: bool = False
    """The box refused, but with an error that has no sentence for a person."""
    on_paper: bool = False
    """Of what nobody saw, some stands on a printed paper."""


class Bench:
    """A scratch folder and an event loop on which boxes are opened again and again."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.folder = folder
        self.runner = runner

    @property
    def path(self) -> Path:
        """Return the box's file."""
        return self.folder / FILE

    def lay(self, image: Mapping[str, bytes]) -> None:
        """Put files in the folder, and nothing else."""
        for old in self.folder.iterdir():
            old.unlink()
        for name, data in image.items():
            (self.folder / name).write_bytes(data)

    def contents(self) -> bytes | None:
        """Return a digest of the database that SQLite finds in the files, and of which there are; None if it cannot."""
        names = sorted((one.name, one.stat().st_size > 0) for one in self.folder.iterdir())
        connection: apsw.Connection | None = None
        try:
            connection = open_read_only(self.path)
            with transaction(connection, "DEFERRED"):
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                return hashlib.sha256(repr(names).encode() + connection.serialize("main")).digest()
        except (OperatorError, apsw.Error):
            return None
        finally:
            if connection is not None:
                connection.close()

    def open(self, boot: object) -> LabBox:
        """Start the box's program."""
        return LabBox(self.path, boot, self.runner.run)


@contextmanager
def remembered_signatures() -> Iterator[None]:
    """Check each signature once: the same entries are checked after every cut, and the answer cannot change."""
    verifier = entry._verifier  # noqa: SLF001 - the one place through which all signatures of entries are checked

    @lru_cache(maxsize=4096)
    def check(public_key: bytes, signature: bytes, message: bytes) -> None:
        verifier(public_key).verify(signature, message)

    class Remembering:
        def __init__(self, public_key: bytes) -> None:
            self._public_key = public_key

        def verify(self, signature: bytes, message: bytes) -> None:
            check(self._public_key, signature, message)

    with patched(entry, "_verifier", Remembering):
        yield


def entries_of(box: LabBox) -> list[bytes]:
    """Return the leaves of all entries there are."""
    return [leaf_hash(data) for data, _ in box.queries.entries(0, EVERYTHING)]


def payments_of(box: LabBox) -> list[PaymentView]:
    """Return all payments."""
    return box.queries.payments(None, EVERYTHING)


# --- a disk that keeps its word -------------------------------------------------------------------------------------


def judge_honest(bench: Bench, cut: Cut) -> Judgement:
    """Return every rule that what survived the cut breaks."""
    bench.lay(cut.image)
    violations: list[str] = []
    try:
        with repeatable(cut.recording.wal_pages):
            with bench.open(f"{cut.recording.seed}/after/{cut.at}") as box:
                violations += _box_faults(box, cut)
            violations += _file_faults(bench.path)
    except Exception as error:  # noqa: BLE001 - whatever stops a box here, it is what we look for
        violations.append(f"does not go on: {type(error).__name__} {error}")
    return Judgement(tuple(violations))


def _box_faults(box: LabBox, cut: Cut) -> Iterator[str]:
    """Recover and look; then go on working, and exchange."""
    leaves = entries_of(box)
    before = {payment.payment_id: payment.state for payment in payments_of(box)}
    columns = box.exchange_store.load()
    box.recover()
    yield from _entry_faults(leaves, cut)
    payments = {payment.payment_id: payment for payment in payments_of(box)}
    yield from _payment_faults(payments, before, cut)
    yield from _paper_faults(box, payments, leaves, cut)
    yield from _people_faults(box, cut)
    cosigned: int = cut.recording.truth.last(cut.at, "cosigned") or 0
    if columns.cosigned_size < cosigned:
        yield f"I6 the cosigned size fell from {cosigned} to {columns.cosigned_size}"
    if columns.cosigned_size > len(leaves):
        yield f"I6 {columns.cosigned_size} entries are cosigned, {len(leaves)} are there"
    box.write(AlarmRaised(kind="lab", detail="after the cut"))
    size = verify_journal(box.queries, JOURNAL, SIGNER.public_key)
    if size != box.queries.size():
        yield f"verified {size} entries of {box.queries.size()}"
    yield from _exchange_faults(box, leaves, cut.witness())


def _entry_faults(leaves: list[bytes], cut: Cut) -> Iterator[str]:
    for one in cut.recording.truth.until(cut.at, "acknowledged"):
        index = int(one.key)
        if index >= len(leaves):
            yield f"I1 acknowledged entry {index} is lost"
        elif leaves[index] != one.value:
            yield f"I4 acknowledged entry {index} is another one"
    if leaves != cut.recording.leaves[: len(leaves)]:
        yield "I4 an entry stands that nobody wrote there"


def _payment_faults(payments: Mapping[str, PaymentView], before: Mapping[str, PaymentState], cut: Cut) -> Iterator[str]:
    truth, at = cut.recording.truth, cut.at
    holders = Counter(
        obligation
        for one in payments.values()
        if one.state not in CERTAINLY_UNCHARGED and not one.doubled
        for obligation in one.obligations
    )
    yield from (f"I2 {name} is held {count} times" for name, count in holders.items() if count > 1)
    for payment_id, payment in payments.items():
        if payment.state in _OPEN:
            yield f"{payment_id} is left {payment.state}"
        was = before.get(payment_id)
        if was in _OPEN and payment.state is not _AFTER_RESTART[was]:
            yield f"{payment_id} was {was} and came back {payment.state}"
    for one in truth.until(at, "handed_over"):
        if one.key not in before or before[one.key] in (PaymentState.REQUESTED, PaymentState.NOT_SENT):
            yield f"{one.key} left for the terminal before the journal knew"
    for one in truth.until(at, "charged"):
        if one.key not in payments or payments[one.key].state in CERTAINLY_UNCHARGED:
            yield f"I2 {one.key} is charged and the journal says it is not"
    for one in truth.until(at, "settled_late"):
        if one.key not in payments or payments[one.key].state is not PaymentState.APPROVED:
            yield f"{one.key} was approved late and that is gone"


def _paper_faults(box: LabBox, payments: Mapping[str, PaymentView], leaves: list[bytes], cut: Cut) -> Iterator[str]:
    for one in cut.recording.truth.until(cut.at, "printed"):
        payment = payments.get(one.key)
        asked = box.queries.inquiry(one.key) or box.queries.services.request(one.key)
        if (payment is None and asked is None) or (payment and payment.state not in CHARGED):
            yield f"I3 a paper is out about {one.key}, which the journal does not know"
        if one.value is not None and one.value not in leaves:
            yield f"I3 a paper is out about {one.key} with a leaf that is gone"
    states = {one.key: one.value for one in cut.recording.truth.until(cut.at, "spooled")}
    for job_id, state in states.items():
        job = box.queries.print_job(job_id)
        if job is None or (state == "printed" and job.state != "printed"):
            yield f"print job {job_id} was {state} and is {job and job.state}"
    for payment_id, payment in payments.items():
        if payment.state is PaymentState.APPROVED and not box.queries.print_jobs_for(payment_id):
            yield f"{payment_id} is approved and its receipt is not in the spool"


def _people_faults(box: LabBox, cut: Cut) -> Iterator[str]:
    truth = cut.recording.truth
    for one in truth.until(cut.at, "operator"):
        if box.people.operator(one.key) is None:
            yield f"I1 operator {one.key} is gone"
    for one in truth.until(cut.at, "session"):
        if box.people.session(one.value) is None:
            yield "I1 a session is gone"
    for one in truth.until(cut.at, "answered"):
        request, answer = one.value
        if box.people.begin_request("lab", one.key, request) != answer:
            yield f"I1 the answer to {one.key} is gone"


def _exchange_faults(box: LabBox, leaves: list[bytes], witness: Witness) -> Iterator[str]:
    if witness.main != leaves[: witness.size]:
        yield "I5 central holds what the box does not"
    result = box.exchange_all(witness)
    if result.kind != "ok" or witness.alarms:
        yield f"central will not go on: {result.kind} {result.code} {[alarm.kind for alarm in witness.alarms]}"
    elif witness.main != entries_of(box)[: witness.size]:
        yield "I5 central came to hold what the box does not"


def _file_faults(path: Path) -> Iterator[str]:
    for difference in rebuild_projections(path):
        yield f"I8 {difference.table} {difference.key} is not what the journal says"
    connection = open_read_only(path)
    try:
        if not _is_whole(connection):
            yield "the file is corrupt"
        (unpaired,) = next(
            connection.execute(
                "SELECT count(*) FROM (SELECT key_id FROM data_key EXCEPT SELECT key_id FROM private_key)"
            )
        )
        if unpaired:
            yield "a data key lost its private half"
    finally:
        connection.close()


def _is_whole(connection: apsw.Connection) -> bool:
    try:
        return bool(connection.pragma("integrity_check") == "ok")
    except apsw.CorruptError:
        # A page that SQLite cannot make sense of ends its own check.
        return False


# --- a disk that lies -----------------------------------------------------------------------------------------------


def judge_lying(bench: Bench, cut: Cut) -> Judgement:
    """Return who noticed that something is gone; nobody noticing what central had seen is a violation."""
    bench.lay(cut.image)
    opened = False
    try:
        with repeatable(cut.recording.wal_pages):
            with bench.open(f"{cut.recording.seed}/after/{cut.at}") as box:
                box.recover()
                opened = True
                verify_journal(box.queries, JOURNAL, SIGNER.public_key)
                leaves = entries_of(box)
            if any(True for _ in _file_faults(bench.path)):
                return Judgement((), "at_verify")
            with bench.open(f"{cut.recording.seed}/again/{cut.at}") as box:
                box.recover()
                return _judge_loss(box, leaves, cut)
    except Exception as error:  # noqa: BLE001 - from a corrupt file anything may come
        # Whatever it was, this box does not take money on what is left.
        return Judgement((), "at_verify" if opened else "at_open", unworded=not isinstance(error, DaftarError))


def _judge_loss(box: LabBox, leaves: list[bytes], cut: Cut) -> Judgement:
    """Judge a journal that is sound in itself."""
    acknowledged = {int(one.key): one.value for one in cut.recording.truth.until(cut.at, "acknowledged")}
    lost = [index for index, leaf in acknowledged.items() if index >= len(leaves) or leaves[index] != leaf]
    if not lost:
        return Judgement(())
    witness = cut.witness()
    seen = min(lost) < witness.size
    faults = list(_offer_faults(box, witness)) if seen else []
    result = box.exchange_all(witness)
    if result.kind == "ok" and not witness.alarms:
        # A request that was kept is sent again as it was and gets its old answer; the one after it shows the loss.
        box.write(AlarmRaised(kind="lab", detail="after an exchange"))
        result = box.exchange_all(witness)
    noticed = result.kind == "quarantined" or bool(witness.alarms)
    if noticed and not faults:
        return Judgement((), "at_exchange")
    if seen:
        faults += [] if noticed else ["central goes on as if nothing were gone"]
        return Judgement(tuple(f"entry {min(lost)} is gone and {fault}" for fault in faults))
    papers = {one.value for one in cut.recording.truth.until(cut.at, "printed")}
    return Judgement((), "unseen", on_paper=any(acknowledged[index] in papers for index in lost))


def _offer_faults(box: LabBox, witness: Witness) -> Iterator[str]:
    """Offer the journal to one who trusts only what was cosigned: as it is, and after the box has gone on working."""
    trusted = TrustedJournal(_KEY, size=witness.size, root=witness.root)
    if _is_believed(box, trusted):
        yield "its checkpoint is believed"
    while box.queries.size() <= witness.size:
        box.write(AlarmRaised(kind="lab", detail="goes on"))
    if _is_believed(box, TrustedJournal(_KEY, size=witness.size, root=witness.root)):
        yield "its checkpoint is believed once it has grown again"


def _is_believed(box: LabBox, trusted: TrustedJournal) -> bool:
    size = box.queries.size()
    text = checkpoint_text(Checkpoint(JOURNAL, size, root(size, box.queries.node)))
    proof = consistency_proof(trusted.size, size, box.queries.node) if size >= trusted.size else ()
    try:
        trusted.advance(sign_note(text, _KEY, SIGNER.sign), proof)
    except IntegrityError:
        return False
    return True
