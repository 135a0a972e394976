"""The catalogue: what an office may sell, as data. A service of a known shape is added by data alone.

A service is asked for with its fields, may cost a fee, is answered by a provider through central, and its answer may
carry what can be paid in turn:

    fields → (rules accepted) → fee → receipt → asked → answered → shown → paid

Each step is there or not by what stands here. Amounts are whole rials; texts are for people, in both languages.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self

import msgspec

from shared.text import Language

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
"""A name in data: of a service, a field, a row of an answer."""
TariffRial = Annotated[int, msgspec.Meta(ge=0, le=10**12)]

FieldKind = Literal[
    "plate",
    "motorcycle_plate",
    "national_code",
    "mobile",
    "landline",
    "postal_code",
    "digits",
    "text",
    "choice",
    "tick",
    "date",
    "amount",
]
"""How a field is checked and brought to one form; `shared.service_fields` has a rule for each."""
RowKind = Literal["text", "number", "rial", "date", "code", "plate"]
"""How a value of an answer is shown. `code`: compared with paper, so left to right and in Latin digits. `plate`: a
car's plate by its code (`shared.plates`)."""
CATEGORIES: Final = ("vehicle", "bills", "police", "top_up", "civil", "bank")
"""Categories in the order of the menu."""
Category = Literal["vehicle", "bills", "police", "top_up", "civil", "bank"]
CONSENT_FIELD: Final = "notify"
"""The tick by which the customer agrees to a text message, to the number in `MOBILE_FIELD`. No provider is told."""
MOBILE_FIELD: Final = "mobile"


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text for people."""

    fa: str
    en: str

    def word(self, language: Language) -> str:
        """Return the text in a language."""
        return self.fa if language == "fa" else self.en


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value of a `choice` field."""

    value: str
    label: Words
    prefixes: tuple[Annotated[str, msgspec.Meta(pattern=r"^09[0-9]{0,9}\Z")], ...] = ()
    """How mobile numbers begin that make this choice likely (`Field.preset_by`); the longest that fits counts."""


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing the customer is asked for."""

    name: Code
    kind: FieldKind
    label: Words
    hint: Words | None = None
    required: bool = True
    choices: tuple[Choice, ...] = ()
    """Of a `choice` field, and of no other."""
    min_size: int | None = None
    max_size: int | None = None
    """Characters of `digits` and `text`; rials of `amount`."""
    preset_by: Code | None = None
    """Of a `choice`: the mobile field whose number chooses while nobody did. A number may have been ported, so what
    somebody chose always stands."""
    is_applicant: bool = False
    """Whom the history names: of one field of a service."""


class Tariff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a service costs, and whose it is. `fee_rial` is the sum of the shares."""

    fee_rial: TariffRial = 0
    company_rial: TariffRial = 0
    provider_rial: TariffRial = 0
    office_rial: TariffRial = 0
    vat_rial: TariffRial = 0


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value of an answer, as it is labelled for people. A row that the answer does not have is not shown."""

    name: Code
    label: Words
    kind: RowKind = "text"


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Services that are chosen between on a page of their own, for example the two ways to ask for fines."""

    code: Code
    name: Words


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service."""

    code: Code
    category: Category
    group: Group | None = None
    name: Words
    """What it is called in the menu."""
    heading: Words | None = None
    """What heads its card on the page of its group; its name where it is not given."""
    fee_name: Words | None = None
    """The name of its fee as a transaction; the service's own where it is not given."""
    payable_name: Words | None = None
    """The name of the payment of what was answered, as a transaction."""
    icon: str = "question"
    search_words: str = ""
    """What people also call it, in any language."""
    fields: tuple[Field, ...]
    button: Words | None = None
    """The words of the button that asks; «استعلام» where it is not given."""
    rules: Words | None = None
    """The rules that the customer accepts; a tick is asked for where there are any."""
    tariff: Tariff = Tariff()
    gate: Literal["fee_first", "answer_first"] = "fee_first"
    """When the fee is taken: before the provider is asked, or before the answer is shown."""
    print_first: bool = False
    """Whether the service's receipt has to be printed before the answer is shown."""
    fee_notice: Words | None = None
    """What the customer is told before the fee is taken; `{fee}` stands for the fee in toman, its unit included."""
    provider: Code
    """The connector at central that answers it."""
    call: Code
    """What is asked of the provider, in the connector's own words."""
    arguments: dict[str, str] = {}
    """What the call is told besides the fields, for example `{"type": "Electricity"}`."""
    rows: tuple[Row, ...] = ()
    """The values of the answer."""
    item_rows: tuple[Row, ...] = ()
    """The values of each item of the answer, where it is a list."""
    pay: Literal["nothing", "one", "several"] = "nothing"
    """What of the answer may be paid: nothing, one thing, or any of its items together."""
    has_images: bool = False
    active: bool = True
    entitlements: tuple[Code, ...] = ()
    """What an office must have to sell it. Nothing tells offices yet what they have, so none may be asked for."""

    def field(self, name: str) -> Field | None:
        """Return a field by its name."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def applicant(self) -> Field | None:
        """Return the field that the history shows."""
        return next((field for field in self.fields if field.is_applicant), None)


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All services in force, under the name of who published them."""

    catalogue_id: str
    services: tuple[Service, ...]

    def service(self, code: str) -> Service | None:
        """Return a service by its code, active or not."""
        return next((service for service in self.services if service.code == code), None)

    def in_group(self, code: str) -> tuple[Service, ...]:
        """Return the services of a group that may be sold, in the catalogue's order."""
        return tuple(
            service for service in self.services if service.group and service.group.code == code and service.active
        )

    def in_category(self, category: str) -> tuple[Service, ...]:
        """Return the services of a category that may be sold, in the catalogue's order."""
        return tuple(service for service in self.services if service.category == category and service.active)

    @classmethod
    def checked(cls, catalogue_id: str, services: Iterable[Service]) -> Self:
        """Return a catalogue whose services make sense. Raises ValueError that names what does not."""
        listed = tuple(services)
        codes = [service.code for service in listed]
        if len(set(codes)) != len(codes):
            raise ValueError(f"two services of one code: {sorted({code for code in codes if codes.count(code) > 1})}")
        for service in listed:
            _check(service)
        return cls(catalogue_id=catalogue_id, services=listed)


def _check(service: Service) -> None:
    tariff, name = service.tariff, service.code
    if tariff.fee_rial != tariff.company_rial + tariff.provider_rial + tariff.office_rial + tariff.vat_rial:
        raise ValueError(f"{name}: the shares of the tariff do not sum to the fee")
    fields = [field.name for field in service.fields]
    if len(set(fields)) != len(fields):
        raise ValueError(f"{name}: two fields of one name")
    if sum(field.is_applicant for field in service.fields) != 1:
        raise ValueError(f"{name}: one field has to be the applicant")
    for field in service.fields:
        _check_field(service, field)
    for rows in (service.rows, service.item_rows):
        if len({row.name for row in rows}) != len(rows):
            raise ValueError(f"{name}: two rows of one name")
    if service.entitlements:
        # Without the check every office would sell it, whatever was asked for.
        raise ValueError(f"{name}: no office can be told yet that it has {', '.join(service.entitlements)}")
    if service.print_first and not tariff.fee_rial:
        raise ValueError(f"{name}: without a fee there is no receipt to print first")


def _check_field(service: Service, field: Field) -> None:
    name = f"{service.code}.{field.name}"
    if (field.kind == "choice") != bool(field.choices):
        raise ValueError(f"{name}: choices belong to a choice, and a choice has some")
    if field.name == CONSENT_FIELD and (field.kind != "tick" or field.required):
        raise ValueError(f"{name}: consent is a tick that nobody has to give")
    if (field.min_size or 0) > (field.max_size if field.max_size is not None else 10**12):
        raise ValueError(f"{name}: min_size is above max_size")
    _check_preset(service, field)


def _check_preset(service: Service, field: Field) -> None:
    prefixes = [prefix for choice in field.choices for prefix in choice.prefixes]
    if bool(prefixes) != (field.preset_by is not None):
        raise ValueError(f"{service.code}.{field.name}: prefixes and preset_by go together")
    if len(set(prefixes)) != len(prefixes):
        raise ValueError(f"{service.code}.{field.name}: a prefix of two choices")
    by = service.field(field.preset_by) if field.preset_by is not None else None
    if prefixes and (by is None or by.kind != "mobile"):
        raise ValueError(f"{service.code}.{field.name}: preset_by names no mobile field")
