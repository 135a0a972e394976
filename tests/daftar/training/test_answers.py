"""The training centre answers each question once, in the shape of the real thing."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from daftar.training.answers import Answers, made_up, training_bill
from shared.answer_document import AnswerDocument
from shared.catalogue import Service
from shared.catalogue_files import built_in_catalogue
from shared.events import (
    SERVICE_ANSWER_PURPOSE,
    SERVICE_FIELDS_PURPOSE,
    Body,
    DataKeyMade,
    Evidence,
    InquiryAnswered,
    InquiryRequested,
    PaymentApproved,
    PaymentConfirmed,
    PaymentItem,
    PaymentRequested,
    ServiceAnswered,
    ServiceRequested,
    Split,
)
from shared.identifiers import BillType, parse_bill
from shared.sealed import Sealed, seal, unseal

PRIVATE = bytes(range(32))
PUBLIC = X25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()
KEY = DataKeyMade(key_id="k", month="1405-09", public_key=PUBLIC.hex(), wrapped="")
SERVICES = built_in_catalogue().services


@pytest.fixture
def answers() -> Answers:
    made = Answers(built_in_catalogue(), lambda: "2026-11-22T08:00:00.000Z")
    assert made.hear(KEY) == []
    return made


def requested(service: Service, **changes: object) -> ServiceRequested:
    sealed = seal(b"{}", key_id="k", public_key=PUBLIC, purpose=SERVICE_FIELDS_PURPOSE)
    body = ServiceRequested(
        inquiry_id="q1",
        ticket=3,
        service=service.code,
        catalogue_id="builtin",
        fields=sealed,
        applicant_tail="388",
        search_key="",
        fee_rial=service.tariff.fee_rial,
        gate=service.gate,
        print_first=service.print_first,
        rules_accepted=True,
        operator="sara",
    )
    return msgspec.structs.replace(body, **changes)


def payment(**changes: object) -> list[Body]:
    wanted = PaymentRequested(
        payment_id="p1",
        obligation="x",
        purpose="bill",
        amount_rial=1_000,
        split=Split(gross_rial=1_000, company_rial=1_000),
        method="pcpos",
        terminal="t",
        reference="1",
        operator="sara",
    )
    evidence = Evidence(source="answer", response_code="00")
    return [msgspec.structs.replace(wanted, **changes), PaymentApproved(payment_id="p1", evidence=evidence)]


def heard(answers: Answers, bodies: list[Body]) -> list[Body]:
    return [answer for body in bodies for answer in answers.hear(body)]


def test_each_bill_of_a_group_is_confirmed_once(answers: Answers) -> None:
    items = tuple(PaymentItem(obligation=str(n), amount_rial=500) for n in range(2))
    bodies = payment(items=items)
    said = heard(answers, [*bodies, bodies[-1]])
    assert [one.item for one in said if isinstance(one, PaymentConfirmed)] == [0, 1]
    assert len(said) == 2


def test_a_debt_is_a_bill_whose_check_digits_are_right(answers: Answers) -> None:
    key = Sealed(key_id="k", ciphertext="")
    asked = InquiryRequested(
        inquiry_id="q", ticket=5, service="s", kind="gas", parameter=key, parameter_tail="123", operator="sara"
    )
    [said] = answers.hear(asked)
    assert isinstance(said, InquiryAnswered)
    bill = parse_bill(said.bill_id or "", said.bill_payment_id or "")
    assert (bill.kind, bill.amount_rial) == (BillType.GAS, said.amount_rial)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.code)
def test_every_service_of_the_catalogue_is_answered_whole_once_its_fee_is_paid(
    answers: Answers, service: Service
) -> None:
    first = answers.hear(requested(service))
    fee_first = service.gate == "fee_first" and service.tariff.fee_rial > 0
    assert bool(first) is not fee_first
    paid = heard(answers, payment(purpose="inquiry_fee", inquiry_id="q1"))
    [said] = first + paid
    assert isinstance(said, ServiceAnswered)
    assert said.document is not None
    plain = unseal(said.document, private_key=PRIVATE, purpose=SERVICE_ANSWER_PURPOSE)
    document = msgspec.json.decode(plain, type=AnswerDocument)
    assert document.values.keys() == {row.name for row in service.rows}
    assert all(item.values.keys() == {row.name for row in service.item_rows} for item in document.items)
    assert bool(document.payables()) is (service.pay != "nothing")
    for payable in document.payables():
        if payable.bill_id is not None and payable.bill_payment_id is not None:
            assert parse_bill(payable.bill_id, payable.bill_payment_id).amount_rial == payable.amount_rial
        else:
            assert payable.order_id


def test_two_customers_get_different_bills() -> None:
    service = next(service for service in SERVICES if service.pay == "several")
    ids = [payable.bill_id for ticket in (1, 2) for payable in made_up(service, ticket).payables()]
    assert len(set(ids)) == len(ids)
    assert training_bill(BillType.WATER, 1, 10_000) != training_bill(BillType.WATER, 2, 10_000)
