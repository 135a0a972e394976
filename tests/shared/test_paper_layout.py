"""Layouts are data: each is held against the facts it is filled with, so that no paper fails at the counter."""

import types
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from shared.identifiers import BillType
from shared.paper_documents import FACTS
from shared.paper_facts import Facts
from shared.paper_filling import FORMS, HOLDERS, NAME, PLACE, WORDED
from shared.paper_layout import EachLine, Lines, PaperLayout, PartLine, Said, in_language, layout_of
from shared.receipt import PlateNumber, ReceiptKind

Scope = tuple[type, ...]
WRITTEN_AS: dict[str, tuple[type, ...]] = {
    "digits": (str,),
    "date": (datetime,),
    "time": (datetime,),
    "rial": (int,),
    "toman": (int,),
    "fours": (str,),
    "hash": (str,),
}


def member(holder: type, name: str) -> Any:
    """Return the declared type of a member, without None, or None when there is no such member."""
    held = getattr(holder, name, None)
    declared = get_type_hints(held.fget)["return"] if isinstance(held, property) else get_type_hints(holder).get(name)
    if get_origin(declared) in (Union, types.UnionType):
        (declared,) = (one for one in get_args(declared) if one is not type(None))
    return declared


def found(scope: Scope, name: str) -> Any:
    first, *rest = name.split(".")
    if first == PLACE:
        return int
    declared = next((kind for holder in scope if (kind := member(holder, first)) is not None), None)
    for one in rest:
        assert declared is not None, name
        declared = member(declared, one)
    assert declared is not None, f"nothing has {name}"
    return declared


def is_a(declared: Any, wanted: tuple[type, ...]) -> bool:
    origin = get_origin(declared)
    if origin is Literal:
        return str in wanted
    if origin is not None and origin.__name__ == "ClassVar":
        (declared,) = get_args(declared)
    return any(one in wanted for one in getattr(declared, "__mro__", ()))


def said(words: str | Said) -> Iterator[str]:
    yield from {in_language(words, "fa"), in_language(words, "en")}


def check_text(text: str, layout: PaperLayout, scope: Scope) -> None:
    left = NAME.sub("", text)
    assert "{" not in left
    assert "}" not in left
    for name, form, table in NAME.findall(text):
        declared = found(scope, name)
        if form == "word":
            entries = layout.words[table or name.rpartition(".")[2]]
            if get_origin(declared) is Literal:
                assert set(entries) == set(get_args(declared)), name
            elif declared is BillType:
                assert set(entries) == {kind.word for kind in BillType}
            for words in entries.values():
                for one in said(words):
                    check_text(one, layout, scope)
        elif form:
            assert is_a(declared, WRITTEN_AS[form]), f"{name} is no {form}"
        else:
            assert is_a(declared, (str, int)), f"{name} is no text"


def check(lines: Lines, layout: PaperLayout, scope: Scope) -> None:
    for line in lines:
        for name in (line.given, line.missing):
            assert not name or found(scope, name)
        for name, words in line.only.items():
            assert set(words) <= set(get_args(found(scope, name))), name
        match line:
            case PartLine():
                check(layout.parts[line.part], layout, scope)
            case EachLine():
                items = found(scope, line.of)
                assert get_origin(items) is tuple
                check(layout.parts[line.part], layout, (get_args(items)[0], *scope))
            case _:
                for field in line.__struct_fields__:
                    if field in HOLDERS:
                        wanted = {"amount": int, "url": str, "plate": PlateNumber}[field]
                        assert is_a(found(scope, getattr(line, field)), (wanted,))
                    elif field in WORDED:
                        for one in said(getattr(line, field)):
                            check_text(one, layout, scope)


def test_every_document_has_facts_and_a_layout() -> None:
    assert {facts.document for facts in FACTS} == set(get_args(ReceiptKind))
    assert {layout_of(kind).kind for kind in get_args(ReceiptKind)} == set(get_args(ReceiptKind))
    assert set(FORMS) == set(WRITTEN_AS)


@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: facts.document)
def test_a_layout_names_only_what_its_facts_have_and_says_it_in_both_languages(facts: type[Facts]) -> None:
    layout = layout_of(facts.document)
    check(layout.rows, layout, (facts,))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('[[rows]]\nrow = "pair"\nlabel = "x"\nvalu = "y"', "valu"),
        ('[[rows]]\nrow = "poem"\ntext = "x"', "poem"),
        ('[[rows]]\nrow = "text"\ntext = { fa = "x" }', "en"),
        ('[[rows]]\nrow = "text"\ntext = "x"\nsize = "giant"', "giant"),
    ],
)
def test_a_layout_with_a_slip_in_it_is_refused(wrong: str, says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.toml.decode(f'kind = "test_page"\n{wrong}', type=PaperLayout)
