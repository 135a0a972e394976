"""The counter of services of a test's office, and a central that answers as a script says."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from edge.journal.services import ServiceView
from edge.services.papers.documents import Letterhead
from edge.services.papers.service_papers import ServicePapers
from edge.services.people.sign_in import SignIn
from edge.services.sales.catalogue_in_force import CatalogueInForce
from edge.services.sales.sell_service import SellParts, SellService
from edge.services.sales.service_view import ServiceViews
from shared.answer_document import AnswerDocument, Item, Payable
from shared.catalogue import Catalogue, Field, Service, Tariff, Words
from shared.clock import ClockQuality, SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import (
    FULFILMENT_PURPOSE,
    SERVICE_ANSWER_PURPOSE,
    SERVICE_IMAGE_PURPOSE,
    Body,
    ImageAnswered,
    PaymentConfirmed,
    ReceiptPrinted,
    ServiceAnswered,
)
from shared.identifiers import Bill, parse_bill
from shared.sealed import Sealed, seal
from tests.edge.services.office import Office
from tests.edge.services.office_people import people_of
from tests.edge.store.boxes import OFFICE_FEED

FEE_RIAL = 175_000
PLATE = Field(name="plate", kind="plate", label=Words(fa="پلاک", en="Plate"), is_applicant=True)
CODE = Field(name="national_code", kind="national_code", label=Words(fa="کد ملی", en="National code"))
TARIFF = Tariff(fee_rial=FEE_RIAL, company_rial=29_091, provider_rial=80_000, office_rial=50_000, vat_rial=15_909)
FINES = Service(
    code="car_fines",
    category="vehicle",
    name=Words(fa="استعلام خلافی", en="Fines"),
    fee_name=Words(fa="کارمزد استعلام خلافی", en="Fee of fines"),
    fields=(PLATE, CODE),
    rules=Words(fa="قوانین", en="Rules"),
    tariff=TARIFF,
    print_first=True,
    provider="gateway",
    call="fines",
    pay="several",
    has_images=True,
)
"""Fee first, then the receipt, then the answer: a list of which any may be paid."""
SCORE = Service(
    code="score",
    category="police",
    name=Words(fa="نمره منفی", en="Score"),
    fields=(msgspec.structs.replace(CODE, is_applicant=True),),
    tariff=Tariff(fee_rial=20_000, office_rial=20_000),
    gate="answer_first",
    provider="gateway",
    call="score",
)
"""The answer first, and shown once it is paid."""
TOP_UP = Service(
    code="top_up",
    category="top_up",
    name=Words(fa="خرید شارژ", en="Top-up"),
    fields=(Field(name="mobile", kind="mobile", label=Words(fa="همراه", en="Mobile"), is_applicant=True),),
    provider="gateway",
    call="top_up",
    pay="one",
)
"""Free to ask for; what it offers is an order."""
SERVICES = Catalogue.checked("builtin", (FINES, SCORE, TOP_UP))

ASKED = {"plate": "۹۹ ل ۲۸۳ ایران ۸۸", "national_code": "0084575948"}
FINE_BILLS = (
    parse_bill("2050327604613", "1070189"),
    parse_bill("9174639504124", "12908190"),
    parse_bill("7748317800142", "1770160"),
)
"""Three good bills; the first stands for the whole of a debt."""


def payable(key: str, bill: Bill, **other: object) -> Payable:
    """Return something that can be paid by a bill's ids."""
    named = Payable(key=key, amount_rial=bill.amount_rial, bill_id=bill.bill_id, bill_payment_id=bill.payment_id)
    return msgspec.structs.replace(named, **other)


DOCUMENT = AnswerDocument(
    values={"total": "14675000"},
    items=(
        Item(key="1", values={"type": "سرعت"}, payable=payable("1", FINE_BILLS[1]), image_count=2),
        Item(key="2", values={"type": "توقف"}, payable=payable("2", FINE_BILLS[2])),
    ),
    payable=payable("total", FINE_BILLS[0]),
)


class KeptClock(SystemClock):
    """A clock that somebody vouches for, or nobody."""

    vouched: ClockQuality = "ntp"

    def quality(self) -> ClockQuality:
        return self.vouched


class OnlyFor:
    """Lets everybody sell but those it names."""

    def __init__(self, *denied: tuple[str, str]) -> None:
        self.denied = set(denied)

    def check_sell(self, operator: str, code: str) -> None:
        if (operator, code) in self.denied:
            raise OperatorError("auth.not_permitted", act=code)


class Desk:
    """The counter of services over a running office."""

    def __init__(self, office: Office, sign_in: SignIn, catalogue: Catalogue = SERVICES) -> None:
        self.office = office
        self.box = office.box
        self.has_line = True
        self.permissions = OnlyFor()
        feeds = self.box.identity.central.feeds if self.box.identity.central else ()
        self.catalogues = CatalogueInForce(self.box.queries.services, feeds, catalogue)
        self.clock = KeptClock()
        self.views = ServiceViews(self.box.queries, self.catalogues, self.clock)
        self.selling = SellService(
            SellParts(
                writer=self.box.writer,
                queries=self.box.queries,
                catalogues=self.catalogues,
                payments=office.payments,
                sign_in=sign_in,
                permissions=self.permissions,
                views=self.views,
                entropy=SystemEntropy(),
                has_line=lambda: self.has_line,
            )
        )
        self.papers = ServicePapers(
            self.box.queries,
            self.views,
            Letterhead(
                office_name="دفتر آزمون",
                office_code="72101001",
                journal_id=self.box.identity.journal_id,
                verify_base="http://127.0.0.1:1",
                demo=True,
            ),
        )

    def view(self, inquiry_id: str) -> ServiceView:
        return self.views.view(inquiry_id)

    async def ask(self, code: str = "car_fines", fields: dict[str, str] | None = None, **other: str) -> str:
        return await self.selling.request(
            code, ASKED if fields is None else fields, rules_accepted=True, operator="sara", **other
        )

    async def pay_fee(self, inquiry_id: str) -> str:
        """Pay the fee at the terminal; return the payment once nothing of it is under way."""
        payment_id = await self.selling.pay_fee(inquiry_id, operator="sara")
        await self.office.ends(payment_id)
        return payment_id

    async def pay(self, inquiry_id: str, *keys: str) -> str:
        payment_id = await self.selling.pay_answer(inquiry_id, keys, operator="sara")
        await self.office.ends(payment_id)
        return payment_id

    async def paid_request(self, code: str = "car_fines", fields: dict[str, str] | None = None) -> str:
        """Return a request whose fee is paid."""
        self.office.virtual.set_auto("approve")
        inquiry_id = await self.ask(code, fields)
        await self.pay_fee(inquiry_id)
        return inquiry_id

    def printed(self, inquiry_id: str) -> None:
        """Say that the printer brought the fee's receipt out."""
        fee = self.views.known(inquiry_id).fee_payment_id
        assert fee
        self.box.write(ReceiptPrinted(job_id="j1", document="service_receipt", about=fee, copy=False))

    # --- central ---

    def tell(self, *bodies: Body, feed: str = OFFICE_FEED) -> None:
        """Bring bodies down a feed."""
        says = self.box.central.office if feed == OFFICE_FEED else self.box.central.network
        self.box.receive(feed, [says.say(body) for body in bodies])

    def sealed(self, inquiry_id: str, data: bytes, purpose: str) -> Sealed:
        """Return data as central seals it: to the key that the request names."""
        key_id = self.views.known(inquiry_id).fields.key_id
        rows = self.box.within(lambda view: view._all("SELECT public_key FROM data_key WHERE key_id = ?", (key_id,)))  # type: ignore[attr-defined]
        return seal(data, key_id=key_id, public_key=bytes.fromhex(rows[0][0]), purpose=purpose)

    def answer(self, inquiry_id: str, document: AnswerDocument | bytes | None = DOCUMENT, **other: object) -> None:
        """Answer a request."""
        data = document if isinstance(document, bytes | None) else msgspec.json.encode(document)
        answered = ServiceAnswered(
            inquiry_id=inquiry_id,
            outcome="done",
            document=None if data is None else self.sealed(inquiry_id, data, SERVICE_ANSWER_PURPOSE),
            provider="gateway",
            track_id="t1",
            answered_at="2026-11-22T08:00:00Z",
        )
        self.tell(msgspec.structs.replace(answered, **other))

    def picture(self, inquiry_id: str, item: str, number: int, data: bytes | None) -> None:
        """Bring a picture, or say that there is none."""
        image = None if data is None else self.sealed(inquiry_id, data, SERVICE_IMAGE_PURPOSE)
        self.tell(ImageAnswered(inquiry_id=inquiry_id, item=item, number=number, image=image))

    def confirm(self, payment_id: str, inquiry_id: str, handed: dict[str, str] | None = None) -> None:
        """Say that the provider took a payment, and what it hands over."""
        sealed = handed and self.sealed(inquiry_id, msgspec.json.encode(handed), FULFILMENT_PURPOSE)
        self.tell(
            PaymentConfirmed(
                payment_id=payment_id,
                provider="gateway",
                track_id="t2",
                provider_reference="881",
                confirmed_at="2026-11-22T08:00:00Z",
                fulfilment=sealed or None,
            )
        )


@contextmanager
def desk_of(office: Office, catalogue: Catalogue = SERVICES) -> Iterator[Desk]:
    """Open the counter of services of an office."""
    with people_of(office) as sign_in:
        yield Desk(office, sign_in, catalogue)
