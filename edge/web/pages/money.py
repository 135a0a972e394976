"""Pages for what people decide about a charge: a word on a doubt, a supervisor's or of two people, and money back.

All ask for a manager's name and password on the page itself: whoever serves stays signed in, and a session that was
left open decides nothing. Each has a page that says plainly what will happen before it does.
"""

from typing import Any, Final, NamedTuple

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.error_pages import status_of
from edge.web.found import find_payment, find_refund
from edge.web.guards import ACT, own_form, signed_in
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name, seen_other
from edge.web.payment_view import REFUND_STATE_TEXTS, bill_type_of, review_alarms
from edge.web.ports.counter import MANAGER, Operator, PaymentView, RefundMeans, RefundView
from edge.web.rendering import AnyRequest, Web, language_of, page
from shared.display import payment_status
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.payment import PaymentState

MEANS: Final[dict[str, RefundMeans]] = {"reversal": "reversal", "void": "void", "central": "central"}
_WHY_TEXTS: Final = {
    "stands": "refund.why_stands",
    "refused": "refund.why_refused",
    "acquirer": "refund.why_acquirer",
    "stated": "refund.why_stated",
}
"""Why a sale stands; what is not here left the outcome open, or is an error's code."""

_PASSWORD_CODES: Final = frozenset(
    {"auth.wrong", "auth.too_many", "auth.manager_needed", "refund.same_person", "refund.nobody_asked"}
)
_WORD_CODES: Final = "statement."
_SETTLED_CODES: Final = frozenset({"payment.not_in_doubt", "reversal.not_in_doubt"})


def _said(request: AnyRequest, error: OperatorError) -> dict[str, Any]:
    return {"error": error, "said": describe(error, language_of(request))}


def _own_name(request: AnyRequest) -> str:
    """Return the user name a form for managers begins with: that of the person signed in, if it is one."""
    operator: Operator = request.scope["state"]["operator"]
    return operator.username if operator.role == MANAGER else ""


def _facts(payment: PaymentView) -> dict[str, Any]:
    return {
        "payment": payment,
        "bill_type": bill_type_of(payment.bill_id),
        "status": payment_status(payment.state, payment.confirmation),
    }


async def _fields(request: AnyRequest, *names: str) -> dict[str, str]:
    form = await request.form()
    return {name: str(form.get(name, "")) for name in names}


# --- words in the place of evidence ---------------------------------------------------------------------------------


class _Form(NamedTuple):
    """A pair of pages that take a word of two possible ones. Members but the first two and the last are texts' keys."""

    path: str
    field: str
    title: str
    settled: str
    word: str
    lead: str
    yes: str
    yes_hint: str
    no: str
    no_hint: str
    slip_hint: str
    happens_yes: str
    happens_no: str
    then_yes: tuple[str, ...]
    then_no: tuple[str, ...]
    do_yes: str
    do_no: str
    second: str
    """Said where it takes a second person; empty where it does not."""
    frees: bool
    """The word after which the bill can be paid again."""

    def is_risky(self, yes: bool) -> bool:  # noqa: FBT001 - the word itself
        """Return whether a word may let the customer pay twice."""
        return yes is self.frees


_OVERRIDE: Final = _Form(
    path="override",
    field="charged",
    title="override.title",
    settled="override.not_in_doubt",
    word="override.word",
    lead="override.lead",
    yes="override.charged",
    yes_hint="override.charged_hint",
    no="override.not_charged",
    no_hint="override.not_charged_hint",
    slip_hint="override.slip_hint",
    happens_yes="override.happens_charged",
    happens_no="override.happens_not_charged",
    then_yes=("override.then_held", "override.then_receipt", "override.then_provider"),
    then_no=("override.then_free", "override.then_twice"),
    do_yes="override.do_charged",
    do_no="override.do_not_charged",
    second="",
    frees=False,
)
_REVERSAL: Final = _Form(
    path="reversal",
    field="undone",
    title="reversal.title",
    settled="reversal.settled",
    word="reversal.word",
    lead="reversal.lead",
    yes="reversal.undone",
    yes_hint="reversal.undone_hint",
    no="reversal.stands",
    no_hint="reversal.stands_hint",
    slip_hint="reversal.slip_hint",
    happens_yes="reversal.happens_undone",
    happens_no="reversal.happens_stands",
    then_yes=("reversal.then_free", "reversal.then_loss"),
    then_no=("override.then_held", "reversal.then_central"),
    do_yes="reversal.do_undone",
    do_no="reversal.do_stands",
    second="reversal.second",
    frees=True,
)


def _choices(web: Web, form: _Form, payment: PaymentView) -> tuple[bool, ...]:
    """Return the words that are taken of a payment now."""
    if form is _OVERRIDE:
        return web.counter.words_taken(payment)
    return (True, False) if payment.state is PaymentState.REVERSAL_IN_DOUBT else ()


def _told(web: Web, form: _Form, payment: PaymentView) -> dict[str, Any]:
    """Return what is known of a doubt: what the terminal and the acquirer said, and what is wrong about it."""
    queries = web.counter.queries
    return {
        **_facts(payment),
        "form": form,
        "choices": _choices(web, form, payment),
        "alarms": queries.alarms_about(payment.payment_id),
        "answers": queries.acquirer_answers(payment.payment_id),
        "spoken_of": form is _OVERRIDE and web.counter.charge_spoken_of(payment.payment_id),
    }


def _ask_word(
    web: Web, request: AnyRequest, form: _Form, payment: PaymentView, values: dict[str, str], **more: Any
) -> Response[str]:
    wanted = {"problem_of": None, "missing": False, **_told(web, form, payment), **more}
    return page(web, request, "override.html", values=values, **wanted)


def _make_sure(
    web: Web, request: AnyRequest, form: _Form, payment: PaymentView, values: dict[str, str], **more: Any
) -> Response[str]:
    # The manager who agrees with whoever serves is another person.
    own_name = "" if form.second else _own_name(request)
    wanted = {"problem_of": None, "username": own_name, **_told(web, form, payment), **more}
    return page(web, request, "override_confirm.html", values=values, **wanted)


async def _take_word(web: Web, request: AnyRequest, form: _Form, payment_id: str, given: dict[str, str]) -> bool:
    """Check a word, and journal it where its author is sure; return whether it is journaled. Raises OperatorError."""
    yes, is_sure = given[form.field] == "yes", given["sure"] == "yes"
    word = {name: given[name] for name in ("slip_number", "reason")}
    manager = {name: given[name] for name in ("username", "password")}
    if form is _OVERRIDE:
        web.counter.decision(payment_id, charged=yes, **word)
        if is_sure:
            await web.counter.override_payment(payment_id, charged=yes, **word, **manager)
    else:
        web.counter.reversal_word(payment_id, undone=yes, **word)
        if is_sure:
            operator = operator_name(request)
            await web.counter.decide_reversal(payment_id, undone=yes, **word, operator=operator, **manager)
    return is_sure


async def _decided(
    web: Web, request: AnyRequest, form: _Form, payment: PaymentView, values: dict[str, str]
) -> Response[str] | Redirect:
    """Take a decision as far as it goes: to the page that asks whether one is sure, or into the journal."""
    person = await _fields(request, "username", "password", "sure")
    try:
        if not await _take_word(web, request, form, payment.payment_id, {**values, **person}):
            return _make_sure(web, request, form, payment, values)
    except OperatorError as error:
        if error.code.startswith(_WORD_CODES):
            return _ask_word(web, request, form, payment, values, status_code=422, problem_of=_said(request, error))
        if error.code in _PASSWORD_CODES:
            wrong = {"problem_of": _said(request, error), "username": person["username"]}
            return _make_sure(web, request, form, payment, values, status_code=status_of(error), **wrong)
        if error.code in _SETTLED_CODES:
            # It was settled while the form was filled in: its page says so.
            now = find_payment(web, payment.payment_id)
            return _ask_word(web, request, form, now, values, status_code=409)
        raise
    return seen_other(f"/payments/{payment.payment_id}")


def override_pages(web: Web) -> list[Any]:
    """Return the handlers of the pages on which people decide a doubt: about a payment, or about its reversal."""
    return [handler for form in (_OVERRIDE, _REVERSAL) for handler in _word_pages(web, form)]


def _word_pages(web: Web, form: _Form) -> list[Any]:
    address = f"/payments/{{payment_id:str}}/{form.path}"

    @get(address, guards=[signed_in], name=form.path)
    async def ask(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        return _ask_word(web, request, form, find_payment(web, payment_id), {})

    @post(address, guards=[signed_in, own_form], name=f"{form.path}_post")
    async def take(request: AnyRequest, payment_id: FromPath[str]) -> Response[str] | Redirect:
        payment = find_payment(web, payment_id)
        values = await _fields(request, form.field, "slip_number", "reason")
        if values[form.field] not in ("yes", "no"):
            return _ask_word(web, request, form, payment, values, status_code=422, missing=True)
        return await _decided(web, request, form, payment, values)

    return [ask, take]


# --- giving money back -----------------------------------------------------------------------------------------------


def refund_row(web: Web, refund: RefundView) -> dict[str, Any]:
    """Return a request with its payment as a list shows it."""
    payment = find_payment(web, refund.payment_id)
    why = (
        _WHY_TEXTS.get(refund.outcome_reason, "refund.why_in_doubt")
        if refund.state in ("refused", "in_doubt") or refund.outcome_reason == "stated"
        else ""
    )
    return {**_facts(payment), "refund": refund, "state_text": REFUND_STATE_TEXTS[refund.state], "why_text": why}


def _refund_page(web: Web, request: AnyRequest, refund: RefundView, **more: Any) -> Response[str]:
    wanted = {"problem_of": None, "username": _own_name(request), **more}
    return page(
        web,
        request,
        "refund.html",
        **refund_row(web, refund),
        trouble=web.counter.refund_trouble(refund.refund_id),
        alarms=review_alarms(web.counter, refund.payment_id),
        # Agreed but not told: the terminal was not ready, or is being told this moment.
        may_retry=refund.state == "agreed"
        and refund.means != "central"
        and web.counter.progress(refund.payment_id) is None,
        may_drop=refund.state == "proposed" or (refund.state == "agreed" and refund.means != "central"),
        **wanted,
    )


def _propose_pages(web: Web) -> list[Any]:
    def ask(request: AnyRequest, payment: PaymentView, values: dict[str, str], **more: Any) -> Response[str]:
        wanted = {"problem_of": None, **more}
        means = web.counter.refund_means(payment)
        return page(web, request, "refund_new.html", **_facts(payment), means=means, values=values, **wanted)

    @get("/payments/{payment_id:str}/refund", guards=[signed_in], opt={ACT: "refunds"})
    async def new(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        return ask(request, find_payment(web, payment_id), {})

    @post("/payments/{payment_id:str}/refund", guards=[signed_in, own_form], opt={ACT: "refunds"})
    async def propose(request: AnyRequest, payment_id: FromPath[str]) -> Response[str] | Redirect:
        payment = find_payment(web, payment_id)
        values = await _fields(request, "means", "reason", "key")
        means, reason, operator = MEANS.get(values["means"], "central"), values["reason"], operator_name(request)

        async def run(name: str) -> bytes:
            made = await web.counter.propose_refund(
                payment_id, means=means, reason=reason, operator=operator, name=name
            )
            return made.encode()

        digest = form_digest("refund", payment_id, means, reason)
        try:
            made = await web.counter.idempotent(one_time_key(values["key"]), digest, f"page:{operator}", run)
        except OperatorError as error:
            if not error.code.startswith(_WORD_CODES):
                raise
            return ask(request, payment, values, status_code=422, problem_of=_said(request, error))
        return seen_other(f"/refunds/{made.decode()}")

    return [new, propose]


def refund_pages(web: Web) -> list[Any]:
    """Return the handlers of the pages of giving money back."""
    return [*_propose_pages(web), *_list_pages(web), *_decide_pages(web)]


def _list_pages(web: Web) -> list[Any]:

    @get("/refunds", guards=[signed_in])
    async def refunds(request: AnyRequest) -> Response[str]:
        rows = [refund_row(web, refund) for refund in web.counter.queries.open_refunds()]
        return page(web, request, "refunds.html", rows=rows)

    @get("/refunds/{refund_id:str}", guards=[signed_in])
    async def refund(request: AnyRequest, refund_id: FromPath[str]) -> Response[str]:
        return _refund_page(web, request, find_refund(web, refund_id))

    @post("/refunds/{refund_id:str}/print", guards=[signed_in, own_form])
    async def print_slip(refund_id: FromPath[str]) -> Redirect:
        await web.counter.print_refund_slip(refund_id)
        return seen_other(f"/refunds/{refund_id}")

    return [refunds, refund, print_slip]


def _decide_pages(web: Web) -> list[Any]:
    @post("/refunds/{refund_id:str}/agree", guards=[signed_in, own_form])
    async def agree(request: AnyRequest, refund_id: FromPath[str]) -> Response[str] | Redirect:
        found = find_refund(web, refund_id)
        person = await _fields(request, "username", "password")
        try:
            await web.counter.agree_refund(refund_id, username=person["username"], password=person["password"])
        except OperatorError as error:
            if error.code not in _PASSWORD_CODES:
                raise
            wrong = {"problem_of": _said(request, error), "username": person["username"]}
            return _refund_page(web, request, found, status_code=status_of(error), **wrong)
        return seen_other(f"/payments/{found.payment_id}")

    @post("/refunds/{refund_id:str}/drop", guards=[signed_in, own_form])
    async def drop(request: AnyRequest, refund_id: FromPath[str]) -> Response[str] | Redirect:
        found = find_refund(web, refund_id)
        reason = (await _fields(request, "reason"))["reason"]
        try:
            await web.counter.drop_refund(refund_id, operator=operator_name(request), reason=reason)
        except OperatorError as error:
            if not error.code.startswith(_WORD_CODES):
                raise
            return _refund_page(web, request, found, status_code=422, problem_of=_said(request, error), reason=reason)
        return seen_other(f"/payments/{found.payment_id}")

    @post("/refunds/{refund_id:str}/retry", guards=[signed_in, own_form])
    async def retry(refund_id: FromPath[str]) -> Redirect:
        await web.counter.retry_refund(refund_id)
        return seen_other(f"/payments/{find_refund(web, refund_id).payment_id}")

    return [agree, drop, retry]
