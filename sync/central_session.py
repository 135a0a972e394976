"""Central's side of one exchange, without a wire or a database: judge a checked request, answer it.

    check_request   (sync.checked_request) what needs only the request and the key the journal was opened with
    judge           what needs what central holds: which entries are new, does the log go on, is this a clone?
    make_response   the signed answer, whose bytes are kept and given again for the same request.

The receiver (`central.ingest.receiver`) holds the journal's row locked from before `judge` until it has committed.
A well-signed entry is never refused: what cannot join the main branch is kept aside.
"""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import msgspec

from shared.errors import IntegrityError, PeerError
from shared.events import KeyRotated
from shared.journal.checkpoint import parse_checkpoint
from shared.journal.cosignature import check_cosignature
from shared.journal.entry import GENESIS_PREV
from shared.journal.note import NoteKey, parse_note
from shared.journal.rotation import KeyChain, Rotation
from shared.journal.tree import consistency_proof, grown, root
from shared.journal.trusted import TrustedJournal
from sync.checked_request import Checked, CheckedRequest
from sync.envelope import EXCHANGE_RESPONSE, Sign, encode_payload, pack
from sync.messages import VERSION, WINDOW_ENTRIES_MAX, Response, SignedPair, Status

AlarmKind = Literal[
    "clone",
    "clone_or_restored",
    "former_key",
    "state_loss",
    "fork",
    "rollback",
    "central_restored",
    "bad_link",
    "bad_envelope",
    "bad_rotation",
]
"""What a person must look at.

`clone`              another token than the current one, and another log: two boxes live on one key.
`clone_or_restored`  another token, and a log that goes on: a copy that wrote nothing, or an old image.
`former_key`         signed by a key that the journal has rotated away from, or names other rotations: an old copy, or
                     somebody who has the old key. The journal itself goes on.
`state_loss`         the token just spent, and a log that goes on: the box lost its newest exchange.
`fork`, `rollback`   the right token, and a log that is not a continuation.
`central_restored`   the box shows a cosignature of ours that we do not remember: we lost state, not the box.
`bad_link`           an entry whose own index, prev or journal is not that of its place in the tree.
`bad_envelope`       a well-signed entry that is not an entry.
`bad_rotation`       a `key.rotated` that does not prove the new key: the old one goes on signing.
"""
Fault = Literal["bad_link", "bad_envelope", "bad_rotation"]
Aside = Literal["fork", "held"]
"""Why an entry stands beside the main branch: it contradicts it, or it came while the journal was quarantined."""
Disagrees = Literal["fork", "rollback"]
"""How a log is no continuation of what is held: it contradicts it, or it ends before it."""

TreeNode = tuple[int, int, bytes]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What central holds of a journal."""

    journal: str
    public_key: bytes
    """The key the journal was opened with."""
    size: int
    root: bytes
    token: bytes
    spent_token: bytes | None
    cosigned_size: int
    cosigned_at_s: int
    quarantined: bool
    rotations: tuple[Rotation, ...] = ()
    """Those of the main branch, in order."""


class Branches(Protocol):
    """Looking up what is stored of a journal."""

    def leaf(self, index: int) -> bytes | None:
        """Return the main branch's leaf hash at an index, None beyond its end."""

    def node(self, level: int, position: int) -> bytes:
        """Return a complete subtree of the main branch."""

    def is_known(self, leaf: bytes) -> bool:
        """Return whether an entry with this leaf is stored, in any branch."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something found."""

    kind: AlarmKind
    detail: str
    index: int | None = None
    leaf: bytes | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be stored and answered."""

    status: Status
    next: int
    main: tuple[Checked, ...] = ()
    """New entries of the main branch, dense from what was held."""
    nodes: tuple[TreeNode, ...] = ()
    size: int
    """Of the main branch, after."""
    root: bytes
    aside: tuple[Checked, ...] = ()
    aside_as: Aside = "held"
    alarms: tuple[Alarm, ...] = ()
    rotations: tuple[Rotation, ...] = ()
    """Those among the new entries of the main branch."""
    renew_token: bool = False
    quarantine: bool = False


def judge(checked: CheckedRequest, held: Held, branches: Branches, witness: NoteKey) -> Verdict:
    """Return what becomes of a request that was not answered before.

    Raises PeerError `exchange.bad_proof` for a proof that does not prove what the entries themselves show.
    """
    request = checked.request
    fresh = request.token == held.token
    restored = not fresh and not held.quarantined and _is_forgotten_cosignature(checked, held, witness)
    alarms: tuple[Alarm, ...] = (_central_restored(held),) if restored else ()
    if request.first > held.size and not held.quarantined and (fresh or restored):
        return Verdict(status="resume", next=held.size, size=held.size, root=held.root, alarms=alarms, renew_token=True)
    growth = _grow(checked, held, branches)
    if not set(held.rotations) <= set(checked.keys.rotations):
        return _set_former_aside(checked, held, branches)
    if held.quarantined or growth.disagrees is not None or not (fresh or restored):
        return _set_aside(checked, held, branches, growth.disagrees)
    _check_proof(checked, held, growth.node)
    alarms += _link_faults(growth.new, held.journal, branches)
    alarms += _rotation_faults(growth.new, checked.keys)
    return Verdict(
        status="ok",
        next=checked.checkpoint.size,
        main=growth.new,
        nodes=growth.nodes,
        size=checked.checkpoint.size,
        root=checked.checkpoint.root,
        alarms=alarms,
        rotations=tuple(rotation for rotation in checked.keys.rotations if _is_new(rotation, checked, held)),
        renew_token=True,
    )


def _is_new(rotation: Rotation, checked: CheckedRequest, held: Held) -> bool:
    return held.size <= rotation.index < checked.checkpoint.size


def _central_restored(held: Held) -> Alarm:
    detail = f"the box shows a cosignature given after the last one known here, of size {held.cosigned_size}"
    return Alarm(kind="central_restored", detail=detail)


class _Growth(msgspec.Struct, frozen=True, kw_only=True):
    """The main branch as it would be with the request's entries."""

    new: tuple[Checked, ...]
    nodes: tuple[TreeNode, ...]
    node: Callable[[int, int], bytes]
    disagrees: Disagrees | None


def _grow(checked: CheckedRequest, held: Held, branches: Branches) -> _Growth:
    conflicts = any(branches.leaf(entry.index) != entry.leaf for entry in checked.entries if entry.index < held.size)
    conflicts = conflicts or _rotates_elsewhere(checked, branches)
    overlay: dict[tuple[int, int], bytes] = {}

    def node(level: int, position: int) -> bytes:
        made = overlay.get((level, position))
        return branches.node(level, position) if made is None else made

    if conflicts or checked.request.first > held.size:
        return _Growth(new=(), nodes=(), node=node, disagrees="fork" if conflicts else None)
    new = tuple(entry for entry in checked.entries if entry.index >= held.size)
    nodes: list[TreeNode] = []
    for entry in new:
        added = grown(entry.index, entry.leaf, node)
        overlay.update({(level, position): digest for level, position, digest in added})
        nodes += added
    size = checked.checkpoint.size
    if root(size, node) != checked.checkpoint.root:
        return _Growth(new=(), nodes=(), node=node, disagrees="fork")
    if size < held.size:
        return _Growth(new=(), nodes=(), node=node, disagrees="rollback")
    return _Growth(new=new, nodes=tuple(nodes), node=node, disagrees=None)


def _rotates_elsewhere(checked: CheckedRequest, branches: Branches) -> bool:
    """Return whether the request names a rotation that is not the entry at its place."""
    sent = {entry.index: entry.leaf for entry in checked.entries}
    for rotation in checked.keys.rotations:
        leaf = sent.get(rotation.index) or branches.leaf(rotation.index)
        if leaf is not None and leaf != rotation.leaf:
            return True
    return False


def _check_proof(checked: CheckedRequest, held: Held, node: Callable[[int, int], bytes]) -> None:
    """Let the trusted journal say the same as the entries did: two independent ways to one root."""
    request, size = checked.request, checked.checkpoint.size
    # A window that repeats entries we hold proves growth from a size before ours; ours is then proved by our own nodes.
    proof = request.proof if request.proof_from == held.size else tuple(consistency_proof(held.size, size, node))
    trusted = TrustedJournal(NoteKey(held.journal, checked.keys.current), size=held.size, root=held.root)
    try:
        trusted.advance(checked.note, proof)
    except IntegrityError as error:
        raise PeerError("exchange.bad_proof", why=error.code) from error


def _set_aside(checked: CheckedRequest, held: Held, branches: Branches, disagrees: Disagrees | None) -> Verdict:
    """Keep what is new beside the main branch, and say why."""
    fresh = checked.request.token == held.token
    kind: AlarmKind | None = None
    if disagrees is not None:
        kind = disagrees if fresh else "clone"
    elif not held.quarantined:
        kind = "state_loss" if checked.request.token == held.spent_token else "clone_or_restored"
    detail = f"held {held.size}, signed {checked.checkpoint.size}\n{checked.request.checkpoint}"
    return Verdict(
        status="quarantined",
        next=_wanted_aside(checked, branches),
        size=held.size,
        root=held.root,
        aside=tuple(entry for entry in checked.entries if not branches.is_known(entry.leaf)),
        aside_as="fork" if disagrees is not None else "held",
        alarms=() if kind is None else (Alarm(kind=kind, detail=detail, index=checked.request.first),),
        quarantine=True,
    )


def _set_former_aside(checked: CheckedRequest, held: Held, branches: Branches) -> Verdict:
    """Keep what a former key has signed, tell its holder to stop, and let the journal go on by its newest key."""
    detail = f"rotated {len(held.rotations)} times, signed after {len(checked.keys.rotations)}"
    return Verdict(
        status="quarantined",
        next=_wanted_aside(checked, branches),
        size=held.size,
        root=held.root,
        aside=tuple(entry for entry in checked.entries if not branches.is_known(entry.leaf)),
        alarms=(Alarm(kind="former_key", detail=f"{detail}\n{checked.request.checkpoint}"),),
    )


def _wanted_aside(checked: CheckedRequest, branches: Branches) -> int:
    """Return what to ask a quarantined box for: what follows, or what comes before when that is not known here.

    A branch is stored whole: from where it left the main one.
    """
    request = checked.request
    if checked.entries and request.first > 0:
        entry = checked.entries[0].entry
        if entry is not None and not branches.is_known(_leaf_of(entry.prev)):
            return max(0, request.first - WINDOW_ENTRIES_MAX)
    return checked.checkpoint.size


def _leaf_of(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _link_faults(new: tuple[Checked, ...], journal: str, branches: Branches) -> tuple[Alarm, ...]:
    """Name entries that say of themselves something else than their place in the signed tree. They block nobody.

    Raises PeerError `exchange.repeated_entry` for the same bytes at a second place: they cannot be kept twice, and an
    entry that names its own index cannot come to be so.
    """
    alarms: list[Alarm] = []
    seen: set[bytes] = set()
    before = branches.leaf(new[0].index - 1) if new and new[0].index > 0 else None
    for checked in new:
        fault = link_fault(checked, journal, before)
        if checked.leaf in seen or (fault is not None and branches.is_known(checked.leaf)):
            raise PeerError("exchange.repeated_entry", index=checked.index)
        seen.add(checked.leaf)
        if fault is not None:
            detail = "the envelope does not decode" if fault == "bad_envelope" else "index, prev or journal disagree"
            alarms.append(Alarm(kind=fault, detail=detail, index=checked.index, leaf=checked.leaf))
        before = checked.leaf
    return tuple(alarms)


def _rotation_faults(new: tuple[Checked, ...], keys: KeyChain) -> tuple[Alarm, ...]:
    """Name rotations that the request does not prove."""
    proved = {rotation.leaf for rotation in keys.rotations}
    return tuple(
        Alarm(kind="bad_rotation", detail="the new key is not proved", index=entry.index, leaf=entry.leaf)
        for entry in new
        if entry.entry is not None and entry.entry.type == KeyRotated.type and entry.leaf not in proved
    )


def link_fault(checked: Checked, journal: str, before: bytes | None) -> Fault | None:
    """Return what is wrong with an entry that follows the leaf `before`, or None."""
    if checked.entry is None:
        return "bad_envelope"
    prev = GENESIS_PREV if before is None else before.hex()
    says = (checked.entry.journal, checked.entry.index, checked.entry.prev)
    return None if says == (journal, checked.index, prev) else "bad_link"


def _is_forgotten_cosignature(checked: CheckedRequest, held: Held, witness: NoteKey) -> bool:
    """Return whether the box shows a cosignature we gave after everything we remember having given.

    Only a central that was itself restored can be shown one: no copy of a box has a newer one than the box was given.
    """
    if not checked.request.witnessed:
        return False
    try:
        note = parse_note(checked.request.witnessed)
        at_s = check_cosignature(note, witness)
        seen = parse_checkpoint(note)
        checked.keys.check_note(note)
    except IntegrityError:
        return False
    return seen.origin == held.journal and (seen.size > held.cosigned_size or at_s > held.cosigned_at_s)


def make_response(
    checked: CheckedRequest,
    *,
    status: Status,
    next_index: int,
    note_text: str,
    token: bytes | None,
    feeds: Mapping[str, tuple[SignedPair, ...]],
    more: bool,
    central_time: str,
    sign: Sign,
    successor: str | None = None,
) -> bytes:
    """Return the wire bytes of the answer."""
    response = Response(
        v=VERSION,
        request_sha256=checked.sha256,
        status=status,
        next=next_index,
        checkpoint=note_text,
        token=token,
        feeds=dict(feeds),
        more=more,
        central_time=central_time,
        successor=successor,
    )
    return pack(EXCHANGE_RESPONSE, encode_payload(response), sign)
