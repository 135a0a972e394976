"""Words and tones of machines and their tickets, in both languages: the only table, for box, central and papers."""

from collections.abc import Mapping
from typing import Final

from shared.atm import Level, Source, TicketState
from shared.catalogue import Words
from shared.display import Status
from shared.events.atms import AtmState, FaultKind, FaultOutcome, TicketAnswer

ATM_STATES: Final[Mapping[AtmState, Status]] = {
    "in_service": Status("در حال کار", "In service", "green", "check-circle"),
    "limited": Status("کار محدود", "Limited", "amber", "warning"),
    "out_of_service": Status("از کار افتاده", "Out of service", "red", "alert"),
}
NOT_REPORTED: Final = Status("گزارش نشده", "Not reported", "grey", "question")

TICKET_STATES: Final[Mapping[TicketState, Status]] = {
    "open": Status("باز · در انتظار بانک", "Open · waits for the bank", "amber", "clock"),
    "accepted": Status("بانک پذیرفت", "Taken by the bank", "blue", "check"),
    "technician": Status("تکنسین در راه است", "Technician on the way", "blue", "person"),
    "resolved": Status("رفع شد، به گفتهٔ بانک", "Mended, says the bank", "green", "check", "outline"),
    "declined": Status("بانک نپذیرفت", "Declined by the bank", "amber", "warning"),
    "closed": Status("بسته شد", "Closed", "grey", "check-circle"),
}

FAULT_KINDS: Final[Mapping[FaultKind, Words]] = {
    "cash_out": Words("تمام شدن پول", "Out of cash"),
    "dispenser": Words("گیر کردن پول", "Cash jammed"),
    "debited_unpaid": Words("کسر از حساب بدون پرداخت پول", "Account debited, no cash given"),
    "card_captured": Words("ضبط کارت مشتری", "Customer's card captured"),
    "card_reader": Words("کارت‌خوان دستگاه", "Card reader"),
    "receipt_paper": Words("کاغذ یا چاپ رسید", "Receipt paper or printing"),
    "screen_keys": Words("صفحه یا صفحه‌کلید", "Screen or keys"),
    "line": Words("قطع ارتباط با بانک", "No link to the bank"),
    "power": Words("برق", "Power"),
    "damage": Words("آسیب یا دستکاری", "Damage or tampering"),
    "other": Words("چیز دیگر", "Something else"),
}

FAULT_OUTCOMES: Final[Mapping[FaultOutcome, Words]] = {
    "fixed": Words("درست شد", "Works again"),
    "no_fault": Words("خرابی نبود", "There was no fault"),
    "removed": Words("دستگاه برداشته شد", "The machine was removed"),
}

TICKET_ANSWERS: Final[Mapping[TicketAnswer, Words]] = {
    "accepted": Words("پذیرفته شد", "Taken"),
    "technician": Words("تکنسین فرستاده شد", "Technician sent"),
    "resolved": Words("رفع شد", "Mended"),
    "declined": Words("پذیرفته نشد", "Declined"),
}

LEVELS: Final[Mapping[Level, Status]] = {
    "unknown": Status("نامعلوم", "Not known", "grey", "question"),
    "empty": Status("خالی", "Empty", "red", "alert"),
    "low": Status("رو به پایان", "Low", "amber", "warning"),
    "good": Status("کافی", "Enough", "green", "check-circle"),
}

SOURCES: Final[Mapping[Source, Words]] = {
    "reported": Words("به گزارش خود دستگاه", "by the machine's own report"),
    "loaded": Words("پس از پول‌گذاری", "after loading"),
    "counted": Words("به شمارش دستی", "by hand count"),
}
