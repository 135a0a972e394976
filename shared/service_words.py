"""How requests for services are shown: the status words of `shared.service_state`, rows as of `shared.display`."""

from typing import Final

from shared.display import STATUSES, Status
from shared.service_state import ServiceState

SERVICE_STATUSES: Final[dict[ServiceState, Status]] = {
    ServiceState.FEE_DUE: Status("در انتظار پرداخت کارمزد", "Fee to be paid", "blue", "card", "outline"),
    ServiceState.FEE_UNDER_WAY: Status("در حال پرداخت کارمزد", "Fee being paid", "blue", "card", moving=True),
    ServiceState.FEE_IN_DOUBT: Status(
        "کارمزد نامشخص · دوباره نکشید", "Fee in doubt · do not charge again", "amber", "question", "outline"
    ),
    ServiceState.FEE_FAILED: Status("پرداخت کارمزد ناموفق", "Fee not paid", "grey", "cross-circle"),
    ServiceState.WAITING: STATUSES["inquiry_waiting"],
    ServiceState.PRINT_FIRST: Status(
        "آمادهٔ نمایش · رسید را چاپ کنید", "Answered · print the receipt", "blue", "printer", "outline"
    ),
    ServiceState.READY: Status("پاسخ آماده است", "Answer is here", "green", "check", "outline"),
    ServiceState.SHOWN: Status("مشاهده شد", "Shown", "green", "check-circle"),
    ServiceState.NOTHING: Status("موردی یافت نشد", "Nothing found", "grey", "check-circle"),
    ServiceState.REFUSED: Status("رد شد", "Refused", "grey", "cross-circle"),
    ServiceState.NEEDS_REVIEW: STATUSES["needs_review"],
}
"""How a request for a service stands."""
