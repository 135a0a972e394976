"""A paper from its layout and its facts. Pure: the same facts give the same rows."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from shared.calendar import jalali_date_text, time_text
from shared.identifiers import BillType
from shared.money import rial_text, toman_text
from shared.paper_facts import Facts
from shared.paper_layout import (
    AmountLine,
    AnyLine,
    EachLine,
    Line,
    Lines,
    LogoLine,
    MarkLine,
    PairLine,
    PaperLayout,
    PartLine,
    PlateLine,
    QrLine,
    RuleLine,
    SpaceLine,
    TextLine,
    TitleLine,
    Words,
    in_language,
    layout_of,
    shared_parts,
)
from shared.receipt import (
    LEAF_DIGITS,
    Amount,
    AnyRow,
    Logo,
    Mark,
    Pair,
    Plate,
    QrCode,
    Receipt,
    Rule,
    Space,
    Text,
    Title,
)
from shared.text import Language, persian_digits

NAME: Final = re.compile(r"\{([a-z_.]+)(?::([a-z]+))?(?::([a-z_]+))?\}")
"""A member in a text: its name, how it is written, a table of words."""
PLACE: Final = "place"
_GROUP: Final = 4


HOLDERS: Final = {"amount": "amount_rial", "url": "url", "plate": "plate"}
"""Members of lines that name a member of the facts, and what the row calls it."""
WORDED: Final = frozenset({"text", "label", "value", "caption"})
"""Members of lines that are words."""
_OF_EVERY_LINE: Final = frozenset(Line.__struct_fields__)
_ROWS: Final[Mapping[type[Line], type[AnyRow]]] = {
    TitleLine: Title,
    TextLine: Text,
    PairLine: Pair,
    AmountLine: Amount,
    MarkLine: Mark,
    RuleLine: Rule,
    QrLine: QrCode,
    PlateLine: Plate,
    LogoLine: Logo,
    SpaceLine: Space,
}


class _NotKnownError(Exception):
    """A member of a row is not known: the row is left out."""


def compose(facts: Facts, *, language: Language = "fa", copy: bool = False, training: bool = False) -> Receipt:
    """Return the paper of these facts.

    A copy says so first. A training paper says at both ends that no money of it is real, so that no half of it passes.
    """
    layout = layout_of(facts.document)
    rows = list(_Filling(layout, language).rows(layout.rows, (facts,)))
    if training:
        mark = Mark(text=in_language(shared_parts().marks.training, language), look="band")
        rows = [mark, *rows, mark]
    if copy:
        rows.insert(0, Mark(text=in_language(shared_parts().marks.copy, language), look="band"))
    return Receipt(kind=layout.kind, language=language, copy=copy, training=training, rows=tuple(rows))


def _digits(number: str, language: Language) -> str:
    return persian_digits(number) if language == "fa" else number


def _fours(text: str, _: Language) -> str:
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


FORMS: Final[Mapping[str, Callable[[Any, Language], str]]] = {
    "digits": _digits,
    "date": jalali_date_text,
    "time": time_text,
    "rial": rial_text,
    "toman": toman_text,
    "fours": _fours,
    "hash": lambda text, language: _fours(text[:LEAF_DIGITS], language),
}
"""How a value is written, by the word after the colon; `word` looks into the layout's own tables."""


class _Filling:
    """One paper while it is filled. A scope is the facts, and before them the item that a part is repeated for."""

    def __init__(self, layout: PaperLayout, language: Language) -> None:
        self._layout = layout
        self._language: Language = language

    def rows(self, lines: Lines, scope: tuple[Any, ...]) -> Iterator[AnyRow]:
        for line in lines:
            if not self._wanted(line, scope):
                continue
            try:
                yield from list(self._filled(line, scope))
            except _NotKnownError:
                continue

    def _wanted(self, line: AnyLine, scope: tuple[Any, ...]) -> bool:
        if line.given and not _member(scope, line.given):
            return False
        if line.missing and _member(scope, line.missing):
            return False
        return all(_key(_member(scope, name)) in words for name, words in line.only.items())

    def _filled(self, line: AnyLine, scope: tuple[Any, ...]) -> Iterator[AnyRow]:
        match line:
            case PartLine():
                yield from self.rows(self._layout.parts[line.part], scope)
            case EachLine():
                for place, item in enumerate(_member(scope, line.of), start=1):
                    yield from self.rows(self._layout.parts[line.part], ({PLACE: place}, item, *scope))
            case QrLine():
                row = self._row(line, scope)
                yield Space(height_mm=1)
                yield row
            case _:
                yield self._row(line, scope)

    def _row(self, line: AnyLine, scope: tuple[Any, ...]) -> AnyRow:
        """Return the row that a line's members make: words filled, names of members replaced by what they hold."""
        members: dict[str, Any] = {}
        for name, called in _members_of(type(line)):
            value = getattr(line, name)
            if name in HOLDERS:
                value = _known(scope, value)
            elif name in WORDED:
                value = self._text(value, scope)
            members[called] = value
        return _ROWS[type(line)](**members)

    def _text(self, words: Words, scope: tuple[Any, ...]) -> str:
        text = in_language(words, self._language)
        return NAME.sub(lambda found: self._written(found, scope), text) if "{" in text else text

    def _written(self, found: re.Match[str], scope: tuple[Any, ...]) -> str:
        name, form, table = found.groups()
        value = _known(scope, name)
        if form == "word":
            return self._text(self._layout.words[table or name.rpartition(".")[2]][_key(value)], scope)
        if form is not None:
            return FORMS[form](value, self._language)
        if isinstance(value, int):
            return _digits(str(value), self._language)
        if not isinstance(value, str):
            raise TypeError(f"{name} is no text: say how it is written")
        return value


@cache
def _members_of(kind: type[Line]) -> tuple[tuple[str, str], ...]:
    """Return the members of a kind of line that are its row's too, each with what the row calls it."""
    return tuple((name, HOLDERS.get(name, name)) for name in kind.__struct_fields__ if name not in _OF_EVERY_LINE)


def _key(value: Any) -> str:
    """Return the word by which a value is looked up."""
    return value.word if isinstance(value, BillType) else str(value)


def _known(scope: tuple[Any, ...], name: str) -> Any:
    value = _member(scope, name)
    if value is None or value == "":
        raise _NotKnownError
    return value


def _member(scope: tuple[Any, ...], name: str) -> Any:
    """Return a member of the innermost thing that has it. Raises AttributeError: layouts are our own."""
    first, *rest = name.split(".") if "." in name else (name,)
    for holder in scope:
        if isinstance(holder, dict):
            if first in holder:
                return holder[first]
        elif hasattr(holder, first):
            value = getattr(holder, first)
            for member in rest:
                value = getattr(value, member)
            return value
    raise AttributeError(f"nothing on this paper has {name}")
