"""A short day of real decisions at one box, drawn from a seed, with everything noted that must survive a power cut."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from daftar.lab.box import LabBox
from daftar.lab.chance import Chance
from daftar.lab.truth import Kind, Truth
from daftar.lab.wanted import (
    FEE_RIAL,
    bill_wanted,
    bills_wanted,
    fee_wanted,
    obligations_of,
    order_wanted,
    service_asked,
    told_of_another_box,
)
from daftar.lab.witness import OFFICE_FEED, Witness
from edge.journal.ports import Decide, StoreView
from edge.journal.writer import Recorded
from edge.services.papers.documents import BILL_RECEIPT, SERVICE_TICKET, spool
from shared.errors import OperatorError, PeerError
from shared.events import (
    AlarmRaised,
    Body,
    Evidence,
    InquiryAnswered,
    NoticePublished,
    PaymentApproved,
    PaymentCancelled,
    PaymentConfirmed,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentRefused,
    PaymentRequested,
    PaymentSent,
    ReceiptPrinted,
    ServiceAnswered,
    ServiceReleased,
    ServiceRetried,
    ServiceShown,
    StatusQueried,
)
from shared.ids import NETWORK_FEED

_TERMINAL_NUMBER: Final = "00001234"
_COUNTING: Final = 2


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """Ways of a box. All false is the product's; each true one is a mutant of whoever uses the journal."""

    wire_first: bool = False
    """Hand the amount over before `payment.sent` is durable."""
    print_first: bool = False
    """Let the paper out before the approval is durable."""


class _Payment(msgspec.Struct):
    payment_id: str
    amount_rial: int
    reference: str
    charged: bool = False
    not_found: int = 0


class Workload:
    """Acts on a box as an office would. `boxes` gives a new run of the program each time it is asked (a restart)."""

    def __init__(
        self, seed: object, boxes: Iterator[LabBox], witness: Witness, truth: Truth, count: Callable[[], int]
    ) -> None:
        self._chance = Chance("workload", seed)
        self._boxes = boxes
        self._witness = witness
        self._truth = truth
        self._count = count
        self._box = next(boxes)
        self._doubts: list[_Payment] = []
        self._refused: list[_Payment] = []
        self._open: list[_Payment] = []
        self._unconfirmed: list[str] = []
        self._unanswered: list[str] = []
        self._unserved: list[str] = []
        self._requests: list[str] = []
        self._number = 0
        self.habits = Habits()

    def _note(self, kind: Kind, key: str = "", value: object = None) -> None:
        self._truth.note(self._count(), kind, key, value)

    def acknowledged(self, records: Sequence[Recorded]) -> None:
        """Note an answer of the writer."""
        for recorded in records:
            self._note("acknowledged", str(recorded.index), recorded.leaf)

    def run(self, decisions: int) -> None:
        """Start the box and do so many things that write."""
        self._start()
        done = 0
        while done < decisions:
            self._number += 1
            before = self._count()
            self._chance.pick(self._acts())()
            done += self._count() != before

    def _acts(self) -> Sequence[Callable[[], None]]:
        paying = (*(self._pay,) * 3, self._pay_together, self._pay_service, self._pay_service)
        often = (*paying, self._exchange, self._exchange, self._print, self._print, self._resolve, self._resolve)
        return (*often, self._late, self._ask, self._about_request, self._people, self._together, self._restart)

    def _start(self) -> None:
        self._box.writer.on_answer = self.acknowledged
        self._box.recover()
        self._doubts += self._open
        self._open = []

    def _restart(self) -> None:
        self._box = next(self._boxes)
        for job in self._box.queries.print_jobs_in(("printing",)):
            self._mark(job.job_id, "uncertain")
        self._start()

    def _commit(self, decide: Decide) -> list[Recorded]:
        return self._box.writer.commit_blocking(decide)

    # --- payments ---

    def _pay(self) -> None:
        self._take(bill_wanted(self._chance))

    def _pay_together(self) -> None:
        """Pay several bills by one charge."""
        self._take(bills_wanted(self._chance))

    def _pay_service(self) -> None:
        """Pay the fee of a request, or an order that its answer named."""
        if self._requests:
            inquiry_id = self._chance.pick(self._requests)
            wanted = fee_wanted if self._chance.coin(0.6) else order_wanted
            self._take(wanted(self._chance, inquiry_id))

    def _take(self, requested: PaymentRequested) -> None:
        payment = _Payment(requested.payment_id, requested.amount_rial, requested.reference)

        def decide(view: StoreView) -> Sequence[Body]:
            for obligation in obligations_of(requested):
                if held := view.holder_of(obligation) or view.others.holder_of(obligation):
                    raise OperatorError("payment.obligation_held", payment_id=held.payment_id)
            return [requested]

        try:
            self._commit(decide)
        except OperatorError:
            return
        ends = ("requested", "not_sent", "sent", *("approved",) * 4, "declined", "cancelled", *("doubt",) * 3)
        end = self._chance.pick(ends)
        if end == "not_sent":
            self._box.write(PaymentNotSent(payment_id=payment.payment_id, reason="terminal.unreachable"))
        elif end != "requested":
            self._at_terminal(payment, end)

    def _at_terminal(self, payment: _Payment, end: str) -> None:
        sent = PaymentSent(payment_id=payment.payment_id, terminal_number=_TERMINAL_NUMBER)
        if self.habits.wire_first:
            self._note("handed_over", payment.payment_id)
        self._box.write(sent)
        self._note("handed_over", payment.payment_id)
        payment.charged = end == "approved" or (end in ("doubt", "sent") and self._chance.coin(0.5))
        if payment.charged:
            self._note("charged", payment.payment_id)
        if end == "sent":
            self._open.append(payment)
        elif end == "approved":
            self._approve(payment, "answer")
        elif end == "doubt":
            self._box.write(PaymentInDoubt(payment_id=payment.payment_id, reason="no_answer"))
            self._doubts.append(payment)
        else:
            kind = PaymentDeclined if end == "declined" else PaymentCancelled
            self._box.write(kind(payment_id=payment.payment_id, evidence=_evidence(payment, "answer", "51")))
            self._refused.append(payment)

    def _approve(self, payment: _Payment, source: str, *before: Body, alarm: AlarmRaised | None = None) -> None:
        approved = PaymentApproved(payment_id=payment.payment_id, evidence=_evidence(payment, source, "00"))
        after = () if alarm is None else (alarm,)
        jobs: list[str] = []

        def decide(view: StoreView) -> Sequence[Body]:
            jobs.append(spool(view, self._box.entropy, document=BILL_RECEIPT, about=payment.payment_id, copy=False))
            return [*before, approved, *after]

        if self.habits.print_first:
            self._note("printed", payment.payment_id)
        self._commit(decide)
        self._note("spooled", jobs[-1], "waiting")
        self._unconfirmed.append(payment.payment_id)

    def _resolve(self) -> None:
        if not self._doubts:
            return
        payment = self._chance.pick(self._doubts)
        payment_id = payment.payment_id
        if payment.charged:
            queried = StatusQueried(payment_id=payment_id, outcome="approved", response_code="00", operator="sara")
            self._approve(payment, "status_query", queried)
            self._doubts.remove(payment)
            return
        payment.not_found += 1
        queried = StatusQueried(payment_id=payment_id, outcome="not_found", response_code="16", counts=True)
        if payment.not_found < _COUNTING:
            self._box.write(queried)
            return
        self._box.write(queried, PaymentNotCharged(payment_id=payment_id, asked_count=payment.not_found))
        self._doubts.remove(payment)
        self._refused.append(payment)

    def _late(self) -> None:
        """Let a terminal that said no say that it charged after all."""
        if not self._refused:
            return
        payment = self._chance.pick(self._refused)
        self._refused.remove(payment)
        self._note("told_late", payment.payment_id)
        alarm = AlarmRaised(kind="late_approval", payment_id=payment.payment_id, detail="lab")
        self._approve(payment, "late_answer", alarm=alarm)
        self._note("settled_late", payment.payment_id)

    # --- papers and inquiries ---

    def _print(self) -> None:
        waiting = self._box.queries.print_jobs_in(("waiting",))
        if not waiting:
            return
        job = waiting[0]
        self._mark(job.job_id, "printing")
        end = self._chance.pick(("printed", "printed", "uncertain", "waiting", "printing"))
        if end == "printing":
            return
        if end == "waiting":
            self._mark(job.job_id, "waiting")
            return
        payment = self._box.queries.payment(job.about)
        leaf = None if payment is None or payment.outcome_leaf is None else bytes.fromhex(payment.outcome_leaf)
        self._note("printed", job.about, leaf)
        if end == "uncertain":
            self._mark(job.job_id, "uncertain")
            return

        def decide(view: StoreView) -> Sequence[Body]:
            view.mark_print(job.job_id, "printed")
            return [ReceiptPrinted(job_id=job.job_id, document=job.document, about=job.about, copy=job.copy)]

        self._commit(decide)
        self._note("spooled", job.job_id, "printed")

    def _mark(self, job_id: str, state: str) -> None:
        def decide(view: StoreView) -> Sequence[Body]:
            view.mark_print(job_id, state)  # type: ignore[arg-type]  # one of the states, by the callers
            return []

        self._commit(decide)
        self._note("spooled", job_id, state)

    def _ask(self) -> None:
        parameter = "".join(str(self._chance.below(10)) for _ in range(9))
        self._unanswered.append(self._box.ask("electricity", parameter, "sara"))
        self._serve()

    def _serve(self) -> None:
        """Take a request for a service of the catalogue; its answer comes with the next exchange."""
        inquiry_id = f"q-service-{self._number}"
        fee_rial = FEE_RIAL if self._chance.coin(0.5) else 0

        def decide(view: StoreView) -> Sequence[Body]:
            asked = service_asked(inquiry_id, view.next_ticket(), fee_rial)
            job = spool(view, self._box.entropy, document=SERVICE_TICKET, about=inquiry_id, copy=False)
            jobs.append(job)
            return [asked]

        jobs: list[str] = []
        self._commit(decide)
        self._note("spooled", jobs[-1], "waiting")
        self._unserved.append(inquiry_id)
        self._requests.append(inquiry_id)

    def _about_request(self) -> None:
        """Do what people do about a request: let its answer be seen without a paper, look at it, ask again."""
        if not self._requests:
            return
        inquiry_id = self._chance.pick(self._requests)
        kind = self._chance.pick((ServiceReleased, ServiceShown, ServiceRetried))
        more = {"reason": "lab"} if kind is ServiceReleased else {}
        self._box.write(kind(inquiry_id=inquiry_id, operator="sara", **more))

    # --- central, people, many at once ---

    def _exchange(self) -> None:
        for payment_id in self._unconfirmed:
            self._witness.publish(OFFICE_FEED, self._word_on(payment_id))
        for inquiry_id in self._unanswered:
            answer = InquiryAnswered(inquiry_id=inquiry_id, outcome="nothing_owed", provider="sandbox")
            self._witness.publish(OFFICE_FEED, answer)
        for inquiry_id in self._unserved:
            self._witness.publish(OFFICE_FEED, ServiceAnswered(inquiry_id=inquiry_id, outcome="nothing"))
        self._unconfirmed, self._unanswered, self._unserved = [], [], []
        if self._chance.coin(0.3):
            self._witness.publish(OFFICE_FEED, told_of_another_box(self._chance, self._number))
        if self._chance.coin(0.3):
            name = f"n{self._number}"
            self._witness.publish(NETWORK_FEED, NoticePublished(notice_id=name, title=name, text=name))
        line = self._chance.pick(("good", "good", "good", "reply_lost", "down"))

        def wire(request: bytes) -> bytes:
            if line == "down":
                raise PeerError("exchange.unreachable", why="lab")
            answer = self._witness.receive(request)
            self._note("witness", value=self._witness.copy())
            if line == "reply_lost":
                raise PeerError("exchange.timeout", why="lab")
            return answer

        if self._box.exchange(wire).code is None:
            self._note("cosigned", value=self._box.exchange_store.load().cosigned_size)

    def _word_on(self, payment_id: str) -> Body:
        if self._chance.coin(0.8):
            return PaymentConfirmed(
                payment_id=payment_id, provider="sandbox", track_id="t", provider_reference="r", confirmed_at=""
            )
        return PaymentRefused(payment_id=payment_id, provider="sandbox", track_id="t", reason="expired", case_id="c")

    def _people(self) -> None:
        people, name = self._box.people, f"o{self._number}"
        people.save_operator(name, name=name, verifier="v", role="operator")
        self._note("operator", name, name)
        token = self._chance.token_bytes(32)
        people.open_session(token, name, boot="lab", monotonic_ms=1)
        self._note("session", value=token)
        people.count_failure(name, boot="lab", monotonic_ms=1)
        people.begin_request("lab", name, token)
        people.finish_request("lab", name, b"done")
        self._note("answered", name, (token, b"done"))

    def _together(self) -> None:
        def decide(kind: str) -> Decide:
            return lambda _: [AlarmRaised(kind=kind, detail="lab")]

        self._box.together([decide(f"a{self._number}.{count}") for count in range(2 + self._chance.below(3))])


def _evidence(payment: _Payment, source: str, code: str) -> Evidence:
    return Evidence(
        source=source,  # type: ignore[arg-type]  # one of the sources, by the callers
        response_code=code,
        amount_rial=payment.amount_rial,
        reference=payment.reference,
        stan=payment.reference[:6],
        rrn=payment.reference[:12],
        terminal_number=_TERMINAL_NUMBER,
        pan="610433******8596",
    )
