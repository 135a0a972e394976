"""Device profiles for boxes, published for an office or for all; the newest bundle of a feed stands, whole."""

from collections.abc import Mapping
from typing import Final

import msgspec

from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import ProfileBundlePublished, ProfileDocument

BUNDLE_SIZE_MAX_BYTES: Final = 48 * 1024
"""Of all documents: an entry of a feed holds 64 KiB, and letters are escaped in it."""


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
