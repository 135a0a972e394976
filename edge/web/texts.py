"""The words of pages, from `texts*.toml`, checked when read: each key has both languages and the same placeholders."""

import re
import tomllib
from importlib.resources import files
from typing import Final

import msgspec

from shared.text import Language

LANGUAGES: Final[tuple[Language, ...]] = ("fa", "en")
_FILES: Final = ("texts.toml", "texts_services.toml", "texts_groups.toml")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    fa: str
    en: str


def read_texts(source: str) -> dict[str, Text]:
    """Return the table. Raises ValueError for a text with an empty language or with other placeholders in one."""
    table = msgspec.convert(tomllib.loads(source), dict[str, Text])
    for key, text in table.items():
        if not (text.fa and text.en):
            raise ValueError(f"{key}: both languages are needed")
        if set(_PLACEHOLDER.findall(text.fa)) != set(_PLACEHOLDER.findall(text.en)):
            raise ValueError(f"{key}: the languages have different placeholders")
    return table


# Read as one document: a key that stands in both is an error of the reader's own.
TEXTS: Final = read_texts("\n".join(files("edge.web").joinpath(name).read_text("utf-8") for name in _FILES))


def text(key: str, language: Language, **data: object) -> str:
    """Return a text, filled. Raises KeyError for an unknown key or a missing datum: both are ours to find in tests."""
    found = TEXTS[key].fa if language == "fa" else TEXTS[key].en
    # Most texts have nothing to fill, and a page asks for a hundred of them.
    return _PLACEHOLDER.sub(lambda name: str(data[name[1]]), found) if "{" in found else found
