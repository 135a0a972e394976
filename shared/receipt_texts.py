"""The words of the papers in Persian and English. Data only; `shared.receipt` puts them on rows."""

from typing import Final

from shared.text import Language

LETTERS_JOINED: Final = "بچهٔ گربه، ژاکت و پژواک؛ می‌رود، کتاب‌ها، لالایی، مؤلّف، (پرانتز) و «گیومه»: ۱۲٫۵ درصد!"
LETTERS_APART: Final = "ا آ ب پ ت ث ج چ ح خ د ذ ر ز ژ س ش ص ض ط ظ ع غ ف ق ک گ ل م ن و ه ی"
"""For the test page: every letter, joined and apart, with marks, half spaces, brackets and digits."""

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "copy": ("رونوشت", "COPY"),
    "training": ("آزمایشی: پول واقعی جابه‌جا نشده", "Demonstration: no real money moved"),
    "office_line": ("دفتر پیشخوان خدمات دولت · کد {code}", "Government services counter · code {code}"),
    "bill_receipt_water": ("رسید پرداخت قبض آب", "Water bill receipt"),
    "bill_receipt_electricity": ("رسید پرداخت قبض برق", "Electricity bill receipt"),
    "bill_receipt_gas": ("رسید پرداخت قبض گاز", "Gas bill receipt"),
    "bill_receipt_landline": ("رسید پرداخت قبض تلفن ثابت", "Landline bill receipt"),
    "bill_receipt_mobile": ("رسید پرداخت قبض تلفن همراه", "Mobile bill receipt"),
    "bill_receipt_municipality": ("رسید پرداخت عوارض شهرداری", "Municipality bill receipt"),
    "bill_receipt_other": ("رسید پرداخت قبض", "Bill receipt"),
    "bill_receipt_tax": ("رسید پرداخت مالیات", "Tax payment receipt"),
    "bill_receipt_traffic_fine": ("رسید پرداخت جریمه رانندگی", "Traffic fine receipt"),
    "state_paid": ("پرداخت شد · در صف تأیید", "Paid · confirmation queued"),
    "state_confirmed": ("تأیید شد", "Confirmed"),
    "state_review": ("نیاز به بررسی", "Needs review"),
    "amount_paid": ("مبلغ پرداخت‌شده", "Amount paid"),
    "bill_id": ("شناسه قبض", "Bill id"),
    "bill_payment_id": ("شناسه پرداخت", "Payment id"),
    "card": ("شماره کارت", "Card"),
    "stan": ("شماره پیگیری", "STAN"),
    "rrn": ("شماره مرجع", "RRN"),
    "terminal_number": ("شماره پایانه", "Terminal number"),
    "provider_reference": ("شماره تأیید شرکت", "Provider's reference"),
    "case": ("شماره پرونده", "Case"),
    "date": ("تاریخ", "Date"),
    "time": ("ساعت", "Time"),
    "operator": ("متصدی", "Served by"),
    "journal_index": ("ردیف دفتر", "Journal entry"),
    "leaf": ("کد درستی‌سنجی", "Check code"),
    "qr_receipt": ("درستی این رسید را با گوشی خود بسنجید", "Check this receipt with your phone"),
    "qr_ticket": ("این نوبت را با گوشی خود ببینید", "See this ticket on your phone"),
    "qr_test": ("این کد باید با گوشی خوانده شود", "A phone must be able to read this code"),
    "advice_none": (
        "مبلغ از کارت شما برداشت شده است. تا تأیید شرکت خدمات‌رسان این رسید را نگه دارید.",
        "Your card was charged. Keep this receipt until the company has confirmed.",
    ),
    "advice_queued": (
        "مبلغ از کارت شما برداشت شده است. تا تأیید شرکت خدمات‌رسان این رسید را نگه دارید.",
        "Your card was charged. Keep this receipt until the company has confirmed.",
    ),
    "advice_confirmed": (
        "شرکت خدمات‌رسان این پرداخت را پذیرفته است.",
        "The company has accepted this payment.",
    ),
    "advice_refused": (
        "شرکت خدمات‌رسان این پرداخت را نپذیرفت و برای برگشت پول پرونده باز شده است. این رسید را نگه دارید.",
        "The company did not accept this payment; a refund case is open. Keep this receipt.",
    ),
    "inquiry_water": ("استعلام بدهی قبض آب", "Water bill inquiry"),
    "inquiry_electricity": ("استعلام بدهی قبض برق", "Electricity bill inquiry"),
    "inquiry_gas": ("استعلام بدهی قبض گاز", "Gas bill inquiry"),
    "inquiry_landline": ("استعلام بدهی تلفن ثابت", "Landline bill inquiry"),
    "inquiry_mobile": ("استعلام بدهی تلفن همراه", "Mobile bill inquiry"),
    "ticket_number": ("شماره نوبت", "Ticket number"),
    "inquiry_waiting": ("در صف پاسخ", "Waiting for the answer"),
    "parameter_water": ("شماره اشتراک", "Subscriber number"),
    "parameter_electricity": ("شماره اشتراک", "Subscriber number"),
    "parameter_gas": ("شماره اشتراک", "Subscriber number"),
    "parameter_landline": ("شماره تلفن", "Phone number"),
    "parameter_mobile": ("شماره همراه", "Mobile number"),
    "next_title": ("از اینجا به بعد:", "What happens next:"),
    "next_keep": ("• این برگه را نگه دارید.", "• Keep this paper."),
    "next_answer": (
        "• پاسخ با برقراری ارتباط خودبه‌خود می‌رسد؛ با همین شماره از دفتر بپرسید و همان‌جا بپردازید.",
        "• The answer comes by itself when the line is back; ask the office by this number and pay there.",
    ),
    "no_money": ("• تا اینجا پولی از شما گرفته نشده است.", "• No money has been taken so far."),
    "test_page": ("برگه آزمون چاپگر", "Printer test page"),
    "test_ready": ("چاپگر آماده است", "The printer is ready"),
    "printer": ("چاپگر", "Printer"),
    "address": ("نشانی", "Address"),
    "paper": ("کاغذ", "Paper"),
    "paper_value": ("{mm} میلی‌متر · {dots} نقطه", "{mm} mm · {dots} dots"),
    "amount_sample": ("نمونه مبلغ", "Sample amount"),
}
"""Every word of the papers, Persian and English."""


def word(key: str, language: Language) -> str:
    """Return one text in a language. A missing key is a KeyError: keys are literals of this program."""
    persian, english = _WORDS[key]
    return persian if language == "fa" else english
