"""Facts of the box's own life: its journal, its starts, its days, what it heard and what troubles it."""

from typing import Literal

import msgspec

from shared.events.body import Body, Count, Method, Purpose, Rial

DATA_KEY_PURPOSE = "data_key.wrapped"
"""`purpose` under which a data key's 32 private bytes are sealed to central; `wrapped` is that `Sealed.ciphertext`."""


class JournalOpened(Body, frozen=True, kw_only=True):
    """First entry of a journal."""

    type = "journal.opened"
    office: str
    box: str
    public_key: str
    """The box's Ed25519 public key, 64 hex digits."""
    signer: Literal["file"]
    software: str
    predecessor: str | None = None
    """The journal this one takes over from, when a box was replaced or restored."""
    predecessor_cosigned_size: Count | None = None
    """How much of it central had cosigned; what came after may be lost."""
    feed_size: Count = 0
    """Entries of the office's feed that are read before money is taken: what the office's other journals hold."""


class BootStarted(Body, frozen=True, kw_only=True):
    """The box's program started."""

    type = "boot.started"
    found_size: Count
    """Entries that stood in the journal when the program looked."""
    cosigned_size: Count
    """The size central had cosigned by then."""
    software: str
    signer: str = "file"
    """Where the key lives."""
    clock: str = ""
    """What is known of the wall clock at this start: none, floor, ntp or central."""
    in_doubt: tuple[str, ...] = ()
    """Payments in doubt after this start: found so, or made so by it."""
    beside_size: Count | None = None
    """The size that the copy of the head on a second medium names, where one is plugged in."""
    profile_bundles: tuple[str, ...] = ()
    """Bundles of device profiles of central's that this run works with."""


class DataKeyMade(Body, frozen=True, kw_only=True):
    """A month's key for personal data was made; its private half is wrapped to central (HPKE, RFC 9180)."""

    type = "data_key.made"
    key_id: str
    month: str
    """The Jalali month, `1405-09`."""
    public_key: str
    """X25519, 64 hex digits."""
    wrapped: str
    """The private half sealed to central, base64."""


class FeedReceived(Body, frozen=True, kw_only=True):
    """Entries `first`..`last` of a feed were verified and stored; their effects are projected at this index."""

    type = "feed.received"
    feed: str
    first: Count
    last: Count
    head: str
    """Leaf hash of entry `last`, hex: commits to the whole feed up to it."""


class AlarmRaised(Body, frozen=True, kw_only=True):
    """Something a person must look at."""

    type = "alarm.raised"
    kind: str
    """What is wrong, for example `answer_mismatch`."""
    payment_id: str | None = None
    detail: str = ""


class KeyRotated(Body, frozen=True, kw_only=True):
    """The box goes on with a new key. Signed, like all before it, by the old one; all after it by the new one."""

    type = "key.rotated"
    public_key: str
    """The new Ed25519 public key, 64 hex digits."""
    proof: str
    """The new key's signature, base64, over DSSE's encoding of this journal's name, this index and both keys."""
    signer: Literal["file"]
    operator: str = ""


class JournalClosed(Body, frozen=True, kw_only=True):
    """Last entry of a journal: nothing follows it."""

    type = "journal.closed"
    reason: Literal["replaced", "retired", "restored"]
    operator: str = ""
    in_doubt: tuple[str, ...] = ()
    """Payments that were in doubt; finance settles them."""


class JournalVerified(Body, frozen=True, kw_only=True):
    """Every entry up to `size` was read again from the medium: hashes, chain, tree and signatures hold."""

    type = "journal.verified"
    size: Count
    root: str
    """Merkle root of that size, hex."""


class DayTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Payments of one method, purpose and terminal: how many, and their sum in rial."""

    method: Method
    purpose: Purpose
    terminal: str
    count: Count
    amount_rial: Rial


class TerminalBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal's own report says it took since the last close, as typed from it. Null where nobody did."""

    terminal: str
    count: Count | None = None
    amount_rial: Rial | None = None


class DayClosed(Body, frozen=True, kw_only=True):
    """The office's day was closed: what was taken since the close before. A shortened journal shows by it."""

    type = "day.closed"
    close_id: str
    first: Count
    """Index of the first entry that is counted: the one after the close before."""
    size: Count
    """Entries before this one: the head that its slip carries."""
    root: str
    """Merkle root of that size, hex."""
    totals: tuple[DayTotal, ...]
    """Payments that became charged by evidence since the close before; `shared.day` counts them."""
    in_doubt_count: Count
    in_doubt_rial: Rial
    unsent_count: Count
    """Entries that central had not cosigned."""
    unsent_rial: Rial
    """Charged payments whose outcome central had not cosigned."""
    unconfirmed_count: Count
    unconfirmed_rial: Rial
    batches: tuple[TerminalBatch, ...] = ()
    operator: str
    undone: tuple[DayTotal, ...] = ()
    """Charged payments, of this day or earlier ones, that are not charged any more: reversed, or in doubt again."""
    overridden: tuple[DayTotal, ...] = ()
    """Payments that a supervisor said were charged: a word, no evidence, and in no sum with `totals`."""
    replaced: tuple[DayTotal, ...] = ()
    """Such words that evidence has replaced; a payment that it proved charged is then in `totals`."""


class ReceiptPrinted(Body, frozen=True, kw_only=True):
    """The printer said the job ended. `copy` is true when the paper says «رونوشت»."""

    type = "receipt.printed"
    job_id: str
    document: str
    about: str
    """The payment or inquiry the paper is about."""
    copy: bool


class JournalExported(Body, frozen=True, kw_only=True):
    """A manager takes a copy of the journal, or of a range of it, from the running box: all that an auditor needs."""

    type = "journal.exported"
    first: Count
    last: Count | None = None
    """The last entry that is in the copy; null: this one."""
    operator: str
