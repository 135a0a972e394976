"""What pages and the API ask of the box about doubts and giving money back; a part of `edge.web.ports.counter`."""

from typing import Final, Protocol

from edge.journal.refunds import AcquirerAnswer, RefundMeans, RefundView
from edge.journal.views import AlarmView, PaymentView

MANAGER: Final = "manager"
"""The role of a person who decides doubts and agrees to giving money back."""


class MoneyQueries(Protocol):
    """What the journal says of a charge and of what became of it."""

    def payments_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of an obligation, oldest first."""

    def alarms_about(self, payment_id: str) -> list[AlarmView]:
        """Return the alarms about a payment, oldest first."""

    def acquirer_answers(self, payment_id: str | None = None) -> list[AcquirerAnswer]:
        """Return what the acquirer's records said, of one payment or of all."""

    def refund(self, refund_id: str) -> RefundView | None:
        """Return a request to give a payment back."""

    def refunds_of(self, payment_id: str) -> list[RefundView]:
        """Return a payment's requests to be given back, oldest first."""

    def open_refunds(self) -> list[RefundView]:
        """Return the requests somebody has something to do about, oldest first."""


class MoneyCounter(Protocol):
    """The use cases of deciding a doubt and of giving money back. All raise DaftarError."""

    def decision(self, payment_id: str, *, charged: bool, slip_number: str, reason: str) -> object:
        """Check the words of a supervisor's decision and that there is something to decide; nothing is written."""

    def words_taken(self, payment: PaymentView) -> tuple[bool, ...]:
        """Return which words of a supervisor are taken of a payment: charged (True), not charged (False), or none."""

    def disputed(self, obligation: str) -> PaymentView | None:
        """Return the payment that counts as not charged while a charge of it was spoken of: its bill is not paid."""

    def reversal_word(self, payment_id: str, *, undone: bool, slip_number: str, reason: str) -> object:
        """Check the words about an undoing in doubt and that there is one; nothing is written."""

    async def decide_reversal(
        self,
        payment_id: str,
        *,
        undone: bool,
        slip_number: str,
        reason: str,
        operator: str,
        username: str,
        password: str,
    ) -> None:
        """Journal what became of an undoing in doubt, by whoever serves and a manager, another person."""

    async def override_payment(
        self, payment_id: str, *, charged: bool, slip_number: str, reason: str, username: str, password: str
    ) -> None:
        """Journal a supervisor's decision about a payment in doubt."""

    def charge_spoken_of(self, payment_id: str) -> bool:
        """Return whether anybody ever spoke of a charge that does not agree with a payment."""

    def refund_means(self, payment: PaymentView) -> tuple[RefundMeans, ...]:
        """Return by what means a payment could be given back now, the best one first."""

    def refund_trouble(self, refund_id: str) -> str | None:
        """Return the code because of which the terminal could not be told to undo a sale yet."""

    async def propose_refund(
        self, payment_id: str, *, means: RefundMeans, reason: str, operator: str, name: str | None = None
    ) -> str:
        """Ask for a payment to be given back; return the request's name, which follows from `name`."""

    async def agree_refund(self, refund_id: str, *, username: str, password: str) -> None:
        """Agree to a request, as a second person."""

    async def drop_refund(self, refund_id: str, *, operator: str, reason: str) -> None:
        """Take a request back."""

    async def retry_refund(self, refund_id: str) -> None:
        """Tell the terminal of an agreed request, which could not be told before."""

    async def print_refund_slip(self, refund_id: str) -> str:
        """Queue a request's slip; return the print job."""
