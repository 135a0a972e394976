"""The catalogue that comes with the program: one file a category under `shared/services/`, data and nothing else.

It stands where central has published none. A file lists `[[services]]`, members as `shared.catalogue.Service` has them.
"""

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from shared.catalogue import CATEGORIES, Catalogue, Service

BUILT_IN: Final = "builtin"
"""The id of this catalogue."""
FOLDER: Final = "services"


class _CategoryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    services: tuple[Service, ...]


def read_services(data: bytes) -> tuple[Service, ...]:
    """Return the services that a file lists.

    Raises msgspec.ValidationError that names the place of what is not understood, msgspec.DecodeError for no TOML.
    """
    return msgspec.toml.decode(data, type=_CategoryFile).services


@cache
def built_in_catalogue() -> Catalogue:
    """Return the catalogue of the files, in the menu's order."""
    folder = files("shared").joinpath(FOLDER)
    found = {entry.name: read_services(entry.read_bytes()) for entry in folder.iterdir()}
    listed = [service for category in CATEGORIES for service in found.pop(f"{category}.toml", ())]
    if found:
        raise ValueError(f"files of no category: {sorted(found)}")
    return Catalogue.checked(BUILT_IN, listed)
