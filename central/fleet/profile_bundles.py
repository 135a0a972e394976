"""Device profiles for boxes, signed onto the feed of an office or of the whole network.

The newest bundle of a feed stands, whole. What stands is read from the feeds themselves.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from central.fleet.policies import AppendFeed, feed_of
from central.store import fleet
from shared.clock import instant_text
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import FEED_BODIES, ProfileBundlePublished, ProfileDocument, decode_body
from shared.ids import FeedId
from shared.journal.entry import decode_entry

BUNDLE_SIZE_MAX_BYTES: Final = 48 * 1024
"""Of all documents: an entry of a feed holds 64 KiB, and letters are escaped in it."""


class PublishedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle on a feed."""

    feed: FeedId
    bundle: ProfileBundlePublished
    published_at: str


def bundle_of(documents: Mapping[str, str], *, note: str, by: str, entropy: Entropy) -> ProfileBundlePublished:
    """Return a bundle as it is signed; `documents` are texts by their place (`terminals/<maker>/<model>.toml`, …).

    Raises OperatorError `profile_bundle.empty`, `profile_bundle.misplaced` (`path`), `profile_bundle.too_large`.
    """
    if not documents:
        raise OperatorError("profile_bundle.empty", field="documents")
    size_bytes = sum(len(msgspec.json.encode(text)) for text in documents.values())
    if size_bytes > BUNDLE_SIZE_MAX_BYTES:
        raise OperatorError("profile_bundle.too_large", size_bytes=size_bytes, most_bytes=BUNDLE_SIZE_MAX_BYTES)
    for path in documents:
        try:
            msgspec.convert({"path": path, "text": ""}, ProfileDocument)
        except msgspec.ValidationError as error:
            raise OperatorError("profile_bundle.misplaced", field="documents", path=path) from error
    return ProfileBundlePublished(
        bundle_id=random_name(entropy, "profiles-"),
        documents=tuple(ProfileDocument(path=path, text=documents[path]) for path in sorted(documents)),
        note=note,
        published_by=by,
    )


def withdrawal_of(*, note: str, by: str, entropy: Entropy) -> ProfileBundlePublished:
    """Return what says that a feed gives no profiles any more."""
    name = random_name(entropy, "profiles-")
    return ProfileBundlePublished(bundle_id=name, note=note, published_by=by, withdrawn=True)


def publish(connection: Connection, office: str | None, bundle: ProfileBundlePublished, append: AppendFeed) -> None:
    """Sign a bundle onto an office's feed, or with None onto the network's. Does not commit.

    Raises OperatorError `office.unknown`.
    """
    append(connection, feed_of(connection, office), bundle)


def published_bundles(connection: Connection) -> list[PublishedBundle]:
    """Return all bundles, newest first."""
    entry = fleet.feed_entry
    rows = connection.execute(
        select(entry.c.feed_id, entry.c.data, entry.c.appended_at)
        .where(entry.c.type == ProfileBundlePublished.type)
        .order_by(entry.c.appended_at.desc(), entry.c.feed_id, entry.c.entry_index.desc())
    )
    found = []
    for feed_id, data, appended_at in rows:
        said = decode_entry(data)
        bundle = decode_body(said.type, bytes(said.body), FEED_BODIES)
        if isinstance(bundle, ProfileBundlePublished):
            found.append(PublishedBundle(feed=feed_id, bundle=bundle, published_at=instant_text(appended_at)))
    return found
