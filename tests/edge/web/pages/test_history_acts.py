import re
from typing import Any

import msgspec
import pytest

from edge.journal.finding import ActView, actors, is_act
from edge.web.act_words import KINDS, SENTENCES, Teller
from edge.web.transaction_names import naming
from shared.acts import COMMAND_LINE
from shared.catalogue_files import built_in_catalogue
from shared.events import (
    JOURNAL_BODIES,
    Body,
    JournalExported,
    PaymentOverridden,
    PersonDenied,
    ReceiptPrinted,
    RefundProposed,
)
from tests.edge.web.conftest import Browser
from tests.edge.web.fake_counter import AT, FakeCounter
from tests.edge.web.pages.test_history import cells

OVERRIDDEN = PaymentOverridden(
    payment_id="p7", charged=True, operator="sara", reason="رسید را دیدم", slip_number="1234"
)
PROPOSED = RefundProposed(
    refund_id="r7", payment_id="p7", means="central", amount_rial=170_000, operator="reza", reason="دوبار کشیده شد"
)
PRINTED = ReceiptPrinted(job_id="j", document="bill_receipt", about="p7", copy=True)


@pytest.fixture
def acts(counter: FakeCounter) -> list[ActView]:
    bodies: list[Body] = [OVERRIDDEN, PROPOSED, PRINTED]
    made = [
        ActView(index=counter.next_index(), at=at, body=body)
        for at, body in zip((AT, AT, "2026-11-21T10:41:05.000Z"), bodies, strict=True)
    ]
    counter.history.acts += made
    return made


async def indexes(operator: Browser, query: str) -> list[int]:
    page = await operator.page(f"/history/acts?{query}")
    table = "".join(re.findall(r"<tbody>.*</tbody>", page.source, re.DOTALL))
    return [int(found) for found in re.findall(r'<span class="ltr">(\d+)</span>', table)]


async def test_each_act_is_a_sentence_that_leads_to_its_thing(operator: Browser, acts: list[ActView]):
    page = await operator.page("/history/acts")
    for said in (
        "با رسید 1234 گواهی کرد که پول برداشت شده است: رسید را دیدم",
        "برگشت ۱۷٬۰۰۰ تومان را خواست: دوبار کشیده شد",
        "رونوشت رسید قبض چاپ شد",
        "سارا محمدی",
    ):
        assert said in page.text, said
    assert "<bdi>رسید را دیدم</bdi>" in page.source, "somebody's own words are of any direction"
    assert page.all("a", href="/payments/p7")
    assert page.all("a", href="/refunds/r7")


async def test_it_is_told_in_english_too(operator: Browser, acts: list[ActView]):
    operator.client.cookies.set("daftar_language", "en")
    page = await operator.page("/history/acts")
    assert "Stated by slip 1234 that the money was taken" in page.text
    assert "Printed: copy of bill receipt" in page.text


async def test_acts_are_found_by_person_kind_and_day(operator: Browser, acts: list[ActView]):
    everything = [act.index for act in reversed(acts)]
    assert await indexes(operator, "") == everything
    assert await indexes(operator, "operator=sara") == [acts[0].index]
    assert await indexes(operator, "kind=refund") == [acts[1].index]
    assert await indexes(operator, "kind=receipt&operator=sara") == []
    assert await indexes(operator, "since=1405/09/01") == [acts[1].index, acts[0].index]
    assert await indexes(operator, "until=1405/08/30") == [acts[2].index]


async def test_acts_are_a_workbook_with_the_same_filters(operator: Browser, acts: list[ActView]):
    page = await operator.page("/history/acts?kind=payment")
    assert page.all("a", href="/history/acts.xlsx?kind=payment")
    _, rows = cells((await operator.get("/history/acts.xlsx?kind=payment")).content)
    assert rows[0] == ["ردیف", "تاریخ و ساعت", "متصدی", "نام کاربری", "اقدام", "شمارهٔ ثبت", "نوع ثبت"]
    assert rows[1][:4] == [1, rows[1][1], "سارا محمدی", "sara"]
    assert rows[1][4:] == [
        "با رسید 1234 گواهی کرد که پول برداشت شده است: رسید را دیدم",
        str(acts[0].index),
        "payment.overridden",
    ]
    _, everything = cells((await operator.get("/history/acts.xlsx")).content)
    assert everything[1][2] == "دستگاه"


def plain(of: msgspec.inspect.Type) -> Any:
    """Return a value of a type, as plain as the type allows."""
    inspect = msgspec.inspect
    if isinstance(of, inspect.LiteralType):
        return of.values[0]
    if isinstance(of, inspect.UnionType):
        return plain(of.types[0])
    if isinstance(of, inspect.StructType):
        return {field.encode_name: plain(field.type) for field in of.fields}
    values = {inspect.StrType: "p1", inspect.IntType: 1, inspect.BoolType: True, inspect.DictType: {}}
    return values.get(type(of), [])


def sample(kind: type[Body]) -> Body:
    """Return a body of a type, done by sara."""
    found = msgspec.inspect.type_info(kind)
    assert isinstance(found, msgspec.inspect.StructType)
    members = {field.encode_name: plain(field.type) for field in found.fields if field.required}
    return msgspec.convert(members | {"operator": "sara"}, kind)


OF_PEOPLE = sorted(name for name, kind in JOURNAL_BODIES.items() if "operator" in kind.__struct_fields__)


@pytest.mark.parametrize("entry_type", OF_PEOPLE)
def test_every_type_of_entry_that_names_a_person_is_told_in_both_languages(entry_type: str):
    body = sample(JOURNAL_BODIES[entry_type])
    assert is_act(body)
    assert "sara" in actors(body)
    assert entry_type in SENTENCES
    assert entry_type.partition(".")[0] in KINDS
    for language in ("fa", "en"):
        teller = Teller(FakeCounter().queries, naming(built_in_catalogue()), language)
        told = teller.tell(ActView(index=1, at=AT, body=body))
        assert told.sentence
        assert "{" not in told.sentence + told.path


def test_an_act_of_a_type_without_words_is_named_by_it():
    class Danced(Body, frozen=True, kw_only=True):
        type = "person.danced"
        operator: str

    teller = Teller(FakeCounter().queries, naming(built_in_catalogue()), "en")
    assert teller.tell(ActView(index=1, at=AT, body=Danced(operator="sara"))).sentence == (
        "An act of the type person.danced"
    )


async def test_an_empty_list_says_what_will_be_there(operator: Browser, counter: FakeCounter):
    assert "هنوز کاری ثبت نشده" in (await operator.page("/history/acts")).text
    counter.history.acts.append(ActView(index=5, at=AT, body=JournalExported(first=0, operator="api:till/sara")))
    assert await indexes(operator, "operator=sara") == [5]


async def test_what_was_done_at_the_command_line_is_told_so(operator: Browser, counter: FakeCounter):
    denied = PersonDenied(person="reza", operator=COMMAND_LINE)
    counter.history.acts.append(ActView(index=counter.next_index(), at=AT, body=denied))
    page = await operator.page("/history/acts")
    assert "فرمان در خود دستگاه" in page.text
    assert COMMAND_LINE not in page.text
