"""One entry out of one fact: numbered, chained to the entry before it, timed, signed."""

from edge.journal.ports import Head, Recorded
from edge.journal.signer import Signer
from shared.clock import Clock, instant_text
from shared.errors import BugError
from shared.events import Body
from shared.journal.entry import (
    ENTRY_SIZE_MAX_BYTES,
    GENESIS_PREV,
    JOURNAL_PAYLOAD,
    VERSION,
    Entry,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)


def make_entry(
    body: Body, head: Head, *, journal_id: str, boot: str, signer: Signer, clock: Clock
) -> tuple[bytes, bytes, Recorded]:
    """Return the entry that follows `head`: its exact bytes, their signature, and what it is.

    Raises BugError `journal.entry_too_large`.
    """
    # Asked before the time: a word of central's that comes in between is about a later time than this one.
    quality = clock.quality()
    entry = Entry(
        v=VERSION,
        journal=journal_id,
        index=head.size,
        prev=GENESIS_PREV if head.leaf is None else head.leaf.hex(),
        boot=boot,
        at=instant_text(clock.now()),
        monotonic_ms=clock.monotonic_ms(),
        clock=quality,
        type=body.type,
        body=encode_body(body),
    )
    data = encode_entry(entry)
    if len(data) > ENTRY_SIZE_MAX_BYTES:
        raise BugError("journal.entry_too_large", type=body.type, size_bytes=len(data))
    signature = signer.sign(pre_authentication(JOURNAL_PAYLOAD, data))
    return data, signature, Recorded(index=head.size, leaf=leaf_hash(data), entry=entry, body=body)
