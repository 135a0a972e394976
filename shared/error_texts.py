"""What an operator reads when something went wrong: for each code what happened, whether money moved, what to do now.

Words are data; `describe` only fills them. A text may name members of the error's data as `{member}`. A member that is
missing shows as «…»: an error page that fails hides the error it was made for.
"""

import re
from typing import Final

import msgspec

from shared.errors import DaftarError, Money
from shared.text import Language, persian_digits


class ErrorText(msgspec.Struct, frozen=True):
    """The texts of one code. `fa`, `en`: what happened; `do_fa`, `do_en`: what to do now."""

    fa: str
    en: str
    money: Money
    do_fa: str
    do_en: str


class Described(msgspec.Struct, frozen=True):
    """An error in words of one language. `money` is empty where the matter has none."""

    what: str
    money: str
    do: str


MONEY_TEXTS: Final[dict[Money, dict[Language, str]]] = {
    "none": {"fa": "", "en": ""},
    "not_moved": {"fa": "پولی جابه‌جا نشده است.", "en": "No money has moved."},
    "may_have_moved": {
        "fa": "شاید پول جابه‌جا شده باشد؛ تا روشن شدن وضعیت دوباره کارت نکشید.",
        "en": "Money may have moved; do not charge the card again until this is settled.",
    },
    "moved": {"fa": "پول جابه‌جا شده است.", "en": "Money has moved."},
}

UNKNOWN_CODE: Final = ErrorText(
    fa="خطایی پیش آمد که برای آن توضیحی نداریم ({code}).",
    en="Something went wrong that we have no words for ({code}).",
    money="may_have_moved",
    do_fa="وضعیت را در «سوابق» ببینید و این کد را به پشتیبانی بگویید.",
    do_en="Look at the history for the state, and tell support this code.",
)
"""Shown for a code that is not in the table; it promises nothing about money."""

_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _shown(name: str, value: object, language: Language) -> str:
    """Return a datum as a page shows it: amounts grouped, numbers in the language's digits, all else as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        text = f"{value:,}" if name.endswith("_rial") else str(value)
        return persian_digits(text.replace(",", "٬")) if language == "fa" else text
    return str(value)


def _filled(text: str, data: dict[str, object], language: Language) -> str:
    return _PLACEHOLDER.sub(
        lambda found: _shown(found[1], data[found[1]], language) if found[1] in data else "…",
        text,
    )


def describe(error: DaftarError, language: Language) -> Described:
    """Return the error in words. Raises nothing, whatever the code and data are."""
    text = ERROR_TEXTS.get(error.code, UNKNOWN_CODE)
    what, do = (text.fa, text.do_fa) if language == "fa" else (text.en, text.do_en)
    data = {"code": error.code, **error.data}
    return Described(_filled(what, data, language), MONEY_TEXTS[text.money][language], _filled(do, data, language))


ERROR_TEXTS: Final[dict[str, ErrorText]] = {
    # --- typed and scanned: bills -------------------------------------------------------------------------------------
    "bill.missing": ErrorText(
        fa="شناسهٔ قبض وارد نشده است.",
        en="No bill id was given.",
        money="not_moved",
        do_fa="شناسهٔ قبض را تایپ کنید یا بارکد آن را بخوانید.",
        do_en="Type the bill id, or scan the bill.",
    ),
    "bill.payment_missing": ErrorText(
        fa="شناسهٔ پرداخت وارد نشده است.",
        en="No payment id was given.",
        money="not_moved",
        do_fa="شناسهٔ پرداخت را از روی قبض وارد کنید یا بارکد آن را بخوانید.",
        do_en="Type the payment id off the bill, or scan the bill.",
    ),
    "bill.not_digits": ErrorText(
        fa="این شناسه چیزی جز رقم دارد.",
        en="The id has something other than digits in it.",
        money="not_moved",
        do_fa="تنها رقم‌ها را وارد کنید؛ فاصله اشکالی ندارد.",
        do_en="Enter the digits only; spaces do no harm.",
    ),
    "bill.too_short": ErrorText(
        fa="این شناسه {digits} رقم دارد؛ دست‌کم {min} رقم لازم است.",
        en="The id has {digits} digits; it needs {min} at least.",
        money="not_moved",
        do_fa="رقم‌های جاافتاده را از روی قبض کامل کنید.",
        do_en="Complete the missing digits off the bill.",
    ),
    "bill.too_long": ErrorText(
        fa="این شناسه {digits} رقم دارد؛ بیش از {max} رقم نمی‌شود.",
        en="The id has {digits} digits; it cannot have more than {max}.",
        money="not_moved",
        do_fa="رقم‌های اضافه را پاک کنید؛ بارکد ۲۶ رقمی را تنها در خانهٔ شناسهٔ قبض بخوانید.",
        do_en="Remove the extra digits; scan a 26-digit barcode into the bill id's field.",
    ),
    "bill.check_digit": ErrorText(
        fa="شناسهٔ قبض درست نیست: رقم کنترل آن نمی‌خواند.",
        en="The bill id is wrong: its check digit does not agree.",
        money="not_moved",
        do_fa="شناسهٔ قبض را رقم به رقم با قبض مقایسه کنید.",
        do_en="Compare the bill id with the paper, digit by digit.",
    ),
    "bill.service_type": ErrorText(
        fa="نوع خدمت این قبض (رقم ۰) شناخته نیست.",
        en="This bill's service type (digit 0) does not exist.",
        money="not_moved",
        do_fa="شناسهٔ قبض را رقم به رقم با قبض مقایسه کنید.",
        do_en="Compare the bill id with the paper, digit by digit.",
    ),
    "bill.no_amount": ErrorText(
        fa="شناسهٔ پرداخت مبلغی ندارد.",
        en="The payment id carries no amount.",
        money="not_moved",
        do_fa="شناسهٔ پرداخت را رقم به رقم با قبض مقایسه کنید؛ قبض بی‌مبلغ پرداختنی نیست.",
        do_en="Compare the payment id with the paper; a bill without an amount cannot be paid.",
    ),
    "bill.payment_check_digit_1": ErrorText(
        fa="شناسهٔ پرداخت درست نیست: رقم کنترل اول آن نمی‌خواند.",
        en="The payment id is wrong: its first check digit does not agree.",
        money="not_moved",
        do_fa="شناسهٔ پرداخت را رقم به رقم با قبض مقایسه کنید.",
        do_en="Compare the payment id with the paper, digit by digit.",
    ),
    "bill.payment_check_digit_2": ErrorText(
        fa="شناسهٔ پرداخت با این شناسهٔ قبض نمی‌خواند.",
        en="The payment id does not agree with this bill id.",
        money="not_moved",
        do_fa="ببینید هر دو شناسه از یک قبض و کامل باشند.",
        do_en="See that both ids are of one bill, and whole.",
    ),
    "bill.barcode_length": ErrorText(
        fa="بارکد {digits} رقم دارد؛ بارکد قبض {wanted} رقمی است.",
        en="The barcode has {digits} digits; a bill's has {wanted}.",
        money="not_moved",
        do_fa="بارکد را دوباره بخوانید یا دو شناسه را تایپ کنید.",
        do_en="Scan again, or type the two ids.",
    ),
    "bill.two_payment_ids": ErrorText(
        fa="شناسهٔ پرداخت واردشده با بارکد یکی نیست.",
        en="The payment id that was typed is not the one of the barcode.",
        money="not_moved",
        do_fa="خانهٔ شناسهٔ پرداخت را خالی کنید و بارکد را دوباره بخوانید.",
        do_en="Clear the payment id and scan again.",
    ),
    # --- typed: money, people, subscribers, dates ---------------------------------------------------------------------
    "money.missing": ErrorText(
        fa="مبلغ وارد نشده است.",
        en="No amount was given.",
        money="not_moved",
        do_fa="مبلغ را وارد کنید.",
        do_en="Enter the amount.",
    ),
    "money.not_a_number": ErrorText(
        fa="مبلغ عدد درستی نیست.",
        en="The amount is not a whole number.",
        money="not_moved",
        do_fa="مبلغ را با رقم و بی علامت و اعشار وارد کنید.",
        do_en="Enter it in digits, without a sign or decimals.",
    ),
    "money.too_large": ErrorText(
        fa="مبلغ بیش از {max_rial} ریال است.",
        en="The amount is above {max_rial} rial.",
        money="not_moved",
        do_fa="رقم‌های مبلغ را بازبینی کنید.",
        do_en="Check the digits of the amount.",
    ),
    "identity.national_code_length": ErrorText(
        fa="کد ملی باید ده رقم باشد.",
        en="A national code has ten digits.",
        money="not_moved",
        do_fa="کد ملی را از روی کارت ملی کامل وارد کنید.",
        do_en="Enter it whole, off the card.",
    ),
    "identity.national_code_wrong": ErrorText(
        fa="کد ملی درست نیست.",
        en="The national code is wrong.",
        money="not_moved",
        do_fa="کد ملی را رقم به رقم با کارت ملی مقایسه کنید.",
        do_en="Compare it with the card, digit by digit.",
    ),
    "identity.not_a_mobile": ErrorText(
        fa="این شمارهٔ تلفن همراه نیست.",
        en="This is not a mobile number.",
        money="not_moved",
        do_fa="شماره را یازده‌رقمی و با ۰۹ وارد کنید.",
        do_en="Enter eleven digits that start with 09.",
    ),
    "identity.not_a_landline": ErrorText(
        fa="این شمارهٔ تلفن ثابت نیست.",
        en="This is not a landline number.",
        money="not_moved",
        do_fa="شماره را با کد شهر، یازده رقم و با صفر اول وارد کنید.",
        do_en="Enter eleven digits with the area code and its leading zero.",
    ),
    "inquiry.parameter_missing": ErrorText(
        fa="شمارهٔ اشتراک وارد نشده است.",
        en="No subscriber number was given.",
        money="not_moved",
        do_fa="شمارهٔ اشتراک یا تلفن را وارد کنید.",
        do_en="Enter the subscriber or telephone number.",
    ),
    "inquiry.not_digits": ErrorText(
        fa="شمارهٔ اشتراک چیزی جز رقم دارد.",
        en="The subscriber number has something other than digits in it.",
        money="not_moved",
        do_fa="تنها رقم‌ها را وارد کنید؛ فاصله اشکالی ندارد.",
        do_en="Enter the digits only; spaces do no harm.",
    ),
    "inquiry.parameter_length": ErrorText(
        fa="شمارهٔ اشتراک {digits} رقم دارد؛ باید {min} تا {max} رقم باشد.",
        en="The subscriber number has {digits} digits; it has {min} to {max}.",
        money="not_moved",
        do_fa="شماره را از روی قبض پیشین کامل وارد کنید.",
        do_en="Enter it whole, off an earlier bill.",
    ),
    "calendar.not_a_date": ErrorText(
        fa="«{text}» تاریخ درستی نیست.",
        en="“{text}” is not a date.",
        money="none",
        do_fa="تاریخ را به شکل ۱۴۰۵/۰۹/۰۱ وارد کنید.",
        do_en="Enter a Jalali date, as in 1405/09/01.",
    ),
    "calendar.no_zone": ErrorText(
        fa="زمانی بی‌ساعت رسمی به تقویم داده شد.",
        en="An instant without a time zone reached the calendar.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "calendar.wrong_zone": ErrorText(
        fa="ساعت رسمی ایران روی این دستگاه درست تعریف نشده است.",
        en="Iran's official time is not defined right on this machine.",
        money="none",
        do_fa="بستهٔ tzdata این دستگاه را به‌روز کنید.",
        do_en="Update this machine's tzdata package.",
    ),
    # --- journal format: signed facts disagree -----------------------------------------------------------------------
    "journal.bad_entry": ErrorText(
        fa="یک ثبت دفتر روزنامه خوانا نیست ({why}).",
        en="An entry of the journal cannot be read ({why}).",
        money="none",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.other_origin": ErrorText(
        fa="این امضا برای دفتر روزنامهٔ دیگری است ({origin}).",
        en="This signature is of another journal ({origin}).",
        money="none",
        do_fa="پروندهٔ همین دستگاه را بدهید.",
        do_en="Give the file of this very box.",
    ),
    "journal.rollback": ErrorText(
        fa="دفتر روزنامه کوتاه‌تر از چیزی است که پیش‌تر امضا شده بود ({signed} به جای دست‌کم {known}).",
        en="The journal is shorter than what it signed before ({signed}, at least {known} is known).",
        money="may_have_moved",
        do_fa="دستگاه کنار گذاشته می‌شود؛ با پشتیبانی تماس بگیرید.",
        do_en="The box is set aside; call support.",
    ),
    "journal.fork": ErrorText(
        fa="دو سرگذشت متفاوت از یک دفتر روزنامه امضا شده است (از ثبت {known}).",
        en="Two different histories of one journal are signed (known size {known}).",
        money="may_have_moved",
        do_fa="هر دو نگه داشته می‌شود و دستگاه کنار گذاشته می‌شود؛ با پشتیبانی تماس بگیرید.",
        do_en="Both are kept and the box is set aside; call support.",
    ),
    "signature.wrong": ErrorText(
        fa="امضا درست نیست.",
        en="The signature is wrong.",
        money="none",
        do_fa="این داده را نپذیرید؛ با پشتیبانی تماس بگیرید.",
        do_en="Do not believe this data; call support.",
    ),
    "note.malformed": ErrorText(
        fa="برگهٔ امضاشده خوانا نیست.",
        en="The signed note cannot be read.",
        money="none",
        do_fa="پرونده را دوباره بگیرید.",
        do_en="Get the file again.",
    ),
    "note.unsigned": ErrorText(
        fa="برگه را «{name}» امضا نکرده است.",
        en="The note is not signed by “{name}”.",
        money="none",
        do_fa="کلید درست را بدهید یا برگه را دوباره بگیرید.",
        do_en="Give the right key, or get the note again.",
    ),
    "note.bad_key": ErrorText(
        fa="کلید وارسی درست نوشته نشده است.",
        en="The verifier key is not written right.",
        money="none",
        do_fa="کلید را کامل و بی‌تغییر کپی کنید.",
        do_en="Copy the key whole and unchanged.",
    ),
    "checkpoint.malformed": ErrorText(
        fa="برگهٔ اندازهٔ دفتر روزنامه خوانا نیست.",
        en="The checkpoint cannot be read.",
        money="none",
        do_fa="پرونده را دوباره بگیرید.",
        do_en="Get the file again.",
    ),
    "tree.not_included": ErrorText(
        fa="ثبت {index} در دفتر روزنامهٔ {size} ثبتی نیست.",
        en="Entry {index} is not in the journal of {size} entries.",
        money="none",
        do_fa="این ثبت را نپذیرید؛ با پشتیبانی تماس بگیرید.",
        do_en="Do not believe this entry; call support.",
    ),
    "tree.not_consistent": ErrorText(
        fa="دفتر روزنامه با {new} ثبت دنبالهٔ همان دفتر با {old} ثبت نیست.",
        en="The journal of {new} entries does not continue the one of {old}.",
        money="none",
        do_fa="این دفتر روزنامه را نپذیرید؛ با پشتیبانی تماس بگیرید.",
        do_en="Do not believe this journal; call support.",
    ),
    "sealed.cannot_open": ErrorText(
        fa="دادهٔ مهرشده با این کلید باز نمی‌شود ({key_id}).",
        en="The sealed data does not open with this key ({key_id}).",
        money="none",
        do_fa="اگر کلید آن ماه فراموش شده است از مرکز بپرسید.",
        do_en="If that month's key is forgotten, ask central.",
    ),
    # --- devices: terminals and the files that describe models -------------------------------------------------------
    "terminal.unreachable": ErrorText(
        fa="کارتخوان در نشانی {address} پاسخ نمی‌دهد.",
        en="The terminal does not answer at {address}.",
        money="not_moved",
        do_fa="روشن بودن کارتخوان و سیم شبکهٔ آن را ببینید و دوباره بزنید.",
        do_en="See that the terminal is on and its network cable is in, then try again.",
    ),
    "terminal.not_ready": ErrorText(
        fa="کارتخوان آماده نیست؛ شاید صفحهٔ دیگری روی آن باز باشد.",
        en="The terminal is not ready; another screen may be open on it.",
        money="not_moved",
        do_fa="کارتخوان را به صفحهٔ نخست برگردانید و دوباره بزنید.",
        do_en="Bring the terminal back to its first screen and try again.",
    ),
    "terminal.busy": ErrorText(
        fa="کارتخوان سرگرم کار دیگری است.",
        en="The terminal is busy with something else.",
        money="not_moved",
        do_fa="تا پایان آن صبر کنید و دوباره بزنید.",
        do_en="Wait until that ends and try again.",
    ),
    "terminal.closed": ErrorText(
        fa="دستگاه در حال خاموش شدن است و با کارتخوان کار نمی‌کند.",
        en="The box is shutting down and does not use the terminal.",
        money="not_moved",
        do_fa="پس از روشن شدن دوباره بزنید.",
        do_en="Try again after it has started.",
    ),
    "terminal.link_lost": ErrorText(
        fa="ارتباط با کارتخوان قطع شد.",
        en="The link to the terminal was lost.",
        money="may_have_moved",
        do_fa="سیم شبکهٔ کارتخوان را ببینید؛ اگر پرداختی نامشخص است «تأیید تراکنش» را بزنید.",
        do_en="See to the terminal's network cable; if a payment is in doubt, ask for its status.",
    ),
    "profile.unknown": ErrorText(
        fa="مدل «{name}» شناخته نیست؛ مدل‌های موجود: {known}.",
        en="The model “{name}” is not known; there are: {known}.",
        money="none",
        do_fa="نام مدل را در تنظیمات دستگاه درست کنید.",
        do_en="Correct the model's name in the box's settings.",
    ),
    "profile.malformed": ErrorText(
        fa="پروندهٔ مدل خوانا نیست: {file} ({why}).",
        en="The model's file cannot be read: {file} ({why}).",
        money="none",
        do_fa="پرونده را درست کنید یا آن را بردارید.",
        do_en="Correct the file or take it out.",
    ),
    "profile.misplaced": ErrorText(
        fa="پروندهٔ مدل «{name}» جای خودش نیست ({file}).",
        en="The file of the model “{name}” is not in its place ({file}).",
        money="none",
        do_fa="نام پوشه و پرونده باید سازنده و مدل باشد.",
        do_en="The folder and file must be named as the maker and the model.",
    ),
    "profile.duplicate": ErrorText(
        fa="دو پرونده یک مدل را توصیف می‌کنند: «{name}» ({file}).",
        en="Two files describe one model: “{name}” ({file}).",
        money="none",
        do_fa="یکی از دو پرونده را بردارید.",
        do_en="Take one of the two files out.",
    ),
    # --- payments ----------------------------------------------------------------------------------------------------
    "payment.move_not_allowed": ErrorText(
        fa="پرداخت از وضعیت {state} به {to} نمی‌رود.",
        en="A payment cannot go from {state} to {to}.",
        money="may_have_moved",
        do_fa="وضعیت پرداخت را در «سوابق» ببینید و این پیام را به پشتیبانی بگویید.",
        do_en="Look at the payment in the history and tell support this message.",
    ),
    # --- printers ----------------------------------------------------------------------------------------------------
    "printer.shaping_missing": ErrorText(
        fa="چاپ فارسی روی این دستگاه ممکن نیست: بستهٔ {package} نصب نیست.",
        en="Persian cannot be printed on this machine: the system package {package} is missing.",
        money="none",
        do_fa="نصاب بستهٔ libfribidi0 را نصب و جعبه را از نو روشن کند؛ رسیدها در صف چاپ می‌مانند.",
        do_en="Have the technician install libfribidi0 and restart the box; receipts stay in the print queue.",
    ),
    "printer.glyph_missing": ErrorText(
        fa="این نویسه‌ها را نمی‌توان چاپ کرد: {characters}.",
        en="These characters cannot be printed: {characters}.",
        money="none",
        do_fa="متن را (مثلاً نام دفتر) بدون این نویسه‌ها بنویسید و دوباره چاپ کنید.",
        do_en="Write the text (the office's name, for example) without them and print again.",
    ),
    # --- pages and API -----------------------------------------------------------------------------------------------
    "auth.sign_in_needed": ErrorText(
        fa="برای دیدن این صفحه باید وارد شوید.",
        en="This page needs you to sign in.",
        money="none",
        do_fa="وارد شوید؛ پس از آن به همین صفحه می‌رسید.",
        do_en="Sign in; you will come back to this page.",
    ),
    "auth.form_expired": ErrorText(
        fa="این صفحه کهنه شده است و درخواست آن پذیرفته نشد.",
        en="This page is out of date and its request was not taken.",
        money="not_moved",
        do_fa="صفحه را تازه کنید و دوباره بزنید.",
        do_en="Reload the page and press again.",
    ),
    "api.token_needed": ErrorText(
        fa="این درخواست توکن معتبر ندارد.",
        en="The request carries no valid token.",
        money="not_moved",
        do_fa="توکن را در سرآیند Authorization به شکل Bearer بفرستید.",
        do_en="Send a token in the Authorization header, as Bearer.",
    ),
    "api.scope_needed": ErrorText(
        fa="این توکن اجازهٔ {scope} را ندارد.",
        en="The token does not have the scope {scope}.",
        money="not_moved",
        do_fa="از مدیر دفتر توکنی با این اجازه بگیرید.",
        do_en="Ask the office manager for a token with this scope.",
    ),
    "api.idempotency_key_needed": ErrorText(
        fa="سرآیند Idempotency-Key نیامده یا نادرست است.",
        en="The Idempotency-Key header is missing or not usable.",
        money="not_moved",
        do_fa="برای هر درخواست یک کلید یکتا تا ۱۲۸ نویسه بفرستید و در تکرار همان را به کار ببرید.",
        do_en="Send a unique key of at most 128 characters per request, and the same one when repeating it.",
    ),
    "web.not_found": ErrorText(
        fa="چنین صفحه‌ای نیست.",
        en="There is no such page.",
        money="none",
        do_fa="از صفحهٔ اصلی یا «سوابق» شروع کنید.",
        do_en="Start from the home page or the history.",
    ),
    "web.method_not_allowed": ErrorText(
        fa="این نشانی چنین درخواستی نمی‌پذیرد.",
        en="This address does not take such a request.",
        money="none",
        do_fa="از صفحهٔ اصلی شروع کنید.",
        do_en="Start from the home page.",
    ),
    "web.too_large": ErrorText(
        fa="درخواست بزرگ‌تر از اندازهٔ مجاز است.",
        en="The request is larger than allowed.",
        money="not_moved",
        do_fa="دادهٔ کوتاه‌تری بفرستید.",
        do_en="Send less data.",
    ),
    "web.bad_request": ErrorText(
        fa="درخواست خوانده نشد ({why}).",
        en="The request could not be read ({why}).",
        money="not_moved",
        do_fa="درخواست را اصلاح کنید و دوباره بفرستید.",
        do_en="Correct the request and send it again.",
    ),
    "web.fault": ErrorText(
        fa="خطایی در دستگاه پیش آمد. دفتر روزنامه سر جای خود است.",
        en="Something failed inside the box. The journal is intact.",
        money="may_have_moved",
        do_fa="پیش از هر پرداخت دوباره وضعیت را در «سوابق» ببینید. اگر تکرار شد، شمارهٔ رخداد را به پشتیبانی بگویید.",
        do_en="Before paying again look at the history. If it happens again, tell support the reference.",
    ),
    # --- the box's store and journal ----------------------------------------------------------------------------------
    "api.idempotency_conflict": ErrorText(
        fa="کلید تکرار «{key}» پیش‌تر برای درخواست دیگری به کار رفته است.",
        en="The idempotency key “{key}” was used for another request before.",
        money="not_moved",
        do_fa="برای درخواست تازه کلید تازه بفرستید.",
        do_en="Send a new key with a new request.",
    ),
    "box.not_enrolled": ErrorText(
        fa="این دستگاه هنوز به مرکز معرفی نشده است.",
        en="This box is not enrolled with central yet.",
        money="not_moved",
        do_fa="با کد معرفی دستگاه آن را به مرکز معرفی کنید.",
        do_en="Enrol the box with its enrolment code.",
    ),
    "data_key.none": ErrorText(
        fa="کلید دادهٔ ماه {month} ساخته نشده است.",
        en="There is no data key of the month {month}.",
        money="not_moved",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "exchange.no_such_column": ErrorText(
        fa="برنامه خواست چیز ناشناخته‌ای از وضعیت تبادل را تغییر دهد ({names}).",
        en="The program meant to change an unknown part of the exchange state ({names}).",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "exchange.pending": ErrorText(
        fa="درخواست پیشین تبادل هنوز پاسخ ندارد.",
        en="The exchange request before this one has no answer yet.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "exchange.shrank": ErrorText(
        fa="اندازهٔ امضاشدهٔ مرکز نمی‌تواند از {known} به {given} کم شود.",
        en="What central has cosigned cannot fall from {known} to {given}.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "feed.fork": ErrorText(
        fa="مرکز دو سرگذشت متفاوت از فهرست «{feed}» امضا کرده است (ثبت {index}).",
        en="Central signed two different histories of the feed “{feed}” (entry {index}).",
        money="none",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "feed.gap": ErrorText(
        fa="در فهرست «{feed}» ثبتی جا افتاده است.",
        en="An entry of the feed “{feed}” is missing.",
        money="none",
        do_fa="دستگاه دوباره می‌پرسد؛ اگر ماند با پشتیبانی تماس بگیرید.",
        do_en="The box asks again; if it stays, call support.",
    ),
    "feed.unknown": ErrorText(
        fa="این دستگاه فهرست «{feed}» را نمی‌خواند.",
        en="This box does not read the feed “{feed}”.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "feed.other_origin": ErrorText(
        fa="ثبتی از فهرست دیگری در «{feed}» آمده است.",
        en="An entry of another feed came in “{feed}”.",
        money="none",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.broken_chain": ErrorText(
        fa="ثبت {index} دفتر روزنامه دنبالهٔ ثبت پیش از خود نیست.",
        en="Entry {index} of the journal does not continue the entry before it.",
        money="may_have_moved",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.closed": ErrorText(
        fa="دستگاه در حال خاموش شدن است و ثبت تازه‌ای نمی‌پذیرد.",
        en="The box is shutting down and takes no new entries.",
        money="not_moved",
        do_fa="پس از روشن شدن دوباره دستگاه از نو انجام دهید.",
        do_en="Do it again when the box is back.",
    ),
    "journal.entry_too_large": ErrorText(
        fa="ثبت «{type}» از اندازهٔ مجاز بزرگ‌تر است.",
        en="An entry of type “{type}” is larger than allowed.",
        money="not_moved",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "journal.gap": ErrorText(
        fa="ثبت {index} دفتر روزنامه سر جای خود نیست.",
        en="Entry {index} of the journal is not in its place.",
        money="may_have_moved",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.head_moved": ErrorText(
        fa="انتهای دفتر روزنامه آن چیزی نیست که برنامه نوشته بود ({found} به جای {known} ثبت).",
        en="The journal does not end where the program left it ({found} entries, {known} were known).",
        money="may_have_moved",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.no_node": ErrorText(
        fa="بخشی از درخت دفتر روزنامه نیست (سطح {level}، جای {position}).",
        en="A part of the journal's tree is missing (level {level}, position {position}).",
        money="may_have_moved",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.not_projected": ErrorText(
        fa="معنای ثبت «{type}» با آنچه هست نمی‌سازد ({why}).",
        en="What an entry of type “{type}” means does not fit what there is ({why}).",
        money="not_moved",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "journal.not_written": ErrorText(
        fa="نوشتن در حافظهٔ دستگاه شکست خورد ({why}).",
        en="Writing to the box's storage failed ({why}).",
        money="may_have_moved",
        do_fa="دستگاه را دوباره راه‌اندازی کنید؛ وضعیت پرداخت‌ها پس از آن روشن است. اگر تکرار شد به پشتیبانی بگویید.",
        do_en="Restart the box; where each payment stands is clear after that. If it happens again, call support.",
    ),
    "journal.refused": ErrorText(
        fa="حافظهٔ دستگاه ثبت {index} را نپذیرفت ({why}).",
        en="The box's storage refused entry {index} ({why}).",
        money="may_have_moved",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.stopped": ErrorText(
        fa="دستگاه پس از یک خطای حافظه ثبت تازه‌ای نمی‌پذیرد ({why}).",
        en="After a storage fault the box takes no new entries ({why}).",
        money="not_moved",
        do_fa="دستگاه را دوباره راه‌اندازی کنید؛ وضعیت پرداخت‌ها پس از آن روشن است. اگر تکرار شد به پشتیبانی بگویید.",
        do_en="Restart the box; where each payment stands is clear after that. If it happens again, call support.",
    ),
    "journal.wrong_signature": ErrorText(
        fa="امضای ثبت {index} دفتر روزنامه درست نیست.",
        en="The signature of entry {index} of the journal is wrong.",
        money="may_have_moved",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.wrong_tree": ErrorText(
        fa="درخت دفتر روزنامه در ثبت {index} با خود ثبت‌ها نمی‌خواند.",
        en="The journal's tree does not agree with its entries at entry {index}.",
        money="may_have_moved",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "payment.obligation_held": ErrorText(
        fa="این قبض پیش‌تر پرداخت شده یا در حال پرداخت است.",
        en="This bill was paid before, or is being paid.",
        money="not_moved",
        do_fa="پرداخت پیشین را ببینید؛ دوباره کارت نکشید.",
        do_en="Look at the earlier payment; do not charge again.",
    ),
    "payment.unknown": ErrorText(
        fa="چنین پرداختی در این دستگاه نیست.",
        en="There is no such payment on this box.",
        money="none",
        do_fa="پرداخت را در «سوابق» پیدا کنید.",
        do_en="Find the payment in the history.",
    ),
    "print.no_such_job": ErrorText(
        fa="چنین برگه‌ای در صف چاپ نیست ({job_id}).",
        en="There is no such paper in the print queue ({job_id}).",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "signer.exists": ErrorText(
        fa="این دستگاه از پیش کلید دارد ({path}).",
        en="This box has a key already ({path}).",
        money="none",
        do_fa="کلید را جایگزین نکنید؛ برای دستگاه تازه پوشهٔ تازه بدهید.",
        do_en="Do not replace the key; give a new box a new folder.",
    ),
    "signer.malformed": ErrorText(
        fa="پروندهٔ کلید دستگاه درست نیست ({path}).",
        en="The box's key file is not right ({path}).",
        money="none",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "signer.missing": ErrorText(
        fa="پروندهٔ کلید دستگاه پیدا نشد ({path}).",
        en="The box's key file was not found ({path}).",
        money="none",
        do_fa="پوشهٔ دادهٔ دستگاه را درست بدهید، یا دستگاه را با دفتر روزنامهٔ تازه راه بیندازید.",
        do_en="Give the box's data folder, or set the box up with a new journal.",
    ),
    "signer.other_key": ErrorText(
        fa="کلید دستگاه کلید این دفتر روزنامه نیست.",
        en="The box's key is not the key of this journal.",
        money="none",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "signer.unsafe": ErrorText(
        fa="دیگران هم می‌توانند پروندهٔ کلید دستگاه را بخوانند ({path}).",
        en="Others can read the box's key file ({path}).",
        money="none",
        do_fa="دسترسی پرونده را به صاحب آن محدود کنید (chmod 600).",
        do_en="Let only its owner read the file (chmod 600).",
    ),
    "store.busy": ErrorText(
        fa="پروندهٔ دستگاه در دست برنامهٔ دیگری است ({path}).",
        en="Another program has the box's file open ({path}).",
        money="none",
        do_fa="برنامهٔ دیگر را ببندید و دوباره امتحان کنید.",
        do_en="Close the other program and try again.",
    ),
    "store.exists": ErrorText(
        fa="این پرونده از پیش هست ({path}).",
        en="This file is there already ({path}).",
        money="none",
        do_fa="برای دستگاه تازه پوشهٔ تازه بدهید.",
        do_en="Give a new box a new folder.",
    ),
    "store.in_use": ErrorText(
        fa="دستگاه از پیش روی این پرونده در حال کار است ({path}).",
        en="A box is already running on this file ({path}).",
        money="none",
        do_fa="دستگاهی را که در حال کار است ببندید.",
        do_en="Stop the box that is running.",
    ),
    "store.migration_failed": ErrorText(
        fa="به‌روز کردن پروندهٔ دستگاه شکست خورد ({why})؛ پروندهٔ پیشین دست نخورده است.",
        en="Bringing the box's file up to date failed ({why}); the old file is untouched.",
        money="none",
        do_fa="نسخهٔ پیشین برنامه را راه بیندازید و این پیام را به پشتیبانی بگویید.",
        do_en="Start the release before this one and tell support this message.",
    ),
    "store.migration_lost": ErrorText(
        fa="پس از به‌روز کردن، نسخهٔ تازهٔ پرونده کامل نبود ({what})؛ پروندهٔ پیشین دست نخورده است.",
        en="The updated copy of the box's file was not whole ({what}); the old file is untouched.",
        money="none",
        do_fa="نسخهٔ پیشین برنامه را راه بیندازید و این پیام را به پشتیبانی بگویید.",
        do_en="Start the release before this one and tell support this message.",
    ),
    "store.missing": ErrorText(
        fa="پروندهٔ دستگاه پیدا نشد ({path}).",
        en="The box's file was not found ({path}).",
        money="none",
        do_fa="پوشهٔ دادهٔ دستگاه را درست بدهید، یا دستگاه را معرفی کنید.",
        do_en="Give the box's data folder, or enrol the box.",
    ),
    "store.newer_schema": ErrorText(
        fa="پروندهٔ دستگاه را نسخهٔ تازه‌تری از برنامه نوشته است ({found}).",
        en="The box's file was written by a newer release ({found}).",
        money="none",
        do_fa="نسخهٔ تازه‌تر برنامه را راه بیندازید.",
        do_en="Start the newer release.",
    ),
    "store.no_identity": ErrorText(
        fa="پرونده نمی‌گوید از کدام دستگاه است.",
        en="The file does not say which box it is of.",
        money="none",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "store.not_a_store": ErrorText(
        fa="این پرونده، پروندهٔ دستگاه نیست ({path}).",
        en="This is not a box's file ({path}).",
        money="none",
        do_fa="پوشهٔ دادهٔ دستگاه را درست بدهید.",
        do_en="Give the box's data folder.",
    ),
    "store.unsafe_setting": ErrorText(
        fa="حافظهٔ دستگاه در برابر قطع برق امن نیست ({setting}: {found} به جای {wanted}).",
        en="The box's storage is not safe against a power cut ({setting}: {found} instead of {wanted}).",
        money="none",
        do_fa="پروندهٔ دستگاه را روی دیسک خود دستگاه بگذارید و با پشتیبانی تماس بگیرید.",
        do_en="Keep the box's file on its own disk, and call support.",
    ),
    "books.bad_amount": ErrorText(
        fa="ثبت پرداخت مبلغی دارد که مبلغ نیست.",
        en="The payment's entry has an amount that is none.",
        money="none",
        do_fa="پروندهٔ بازشده را بررسی کنید.",
        do_en="Look into the case that was opened.",
    ),
    "books.data_key_known_already": ErrorText(
        fa="کلید دادهٔ «{key_id}» پیش‌تر با محتوایی ثبت شده است.",
        en="The data key “{key_id}” was recorded before.",
        money="none",
        do_fa="پروندهٔ بازشده را بررسی کنید.",
        do_en="Look into the case that was opened.",
    ),
    "books.impossible_move": ErrorText(
        fa="ثبت «{type}» نمی‌تواند پس از وضعیت «{state}» بیاید.",
        en="An entry “{type}” cannot follow the state “{state}”.",
        money="may_have_moved",
        do_fa="پروندهٔ بازشده را بررسی کنید.",
        do_en="Look into the case that was opened.",
    ),
    "books.inquiry_known_already": ErrorText(
        fa="استعلام «{inquiry_id}» پیش‌تر ثبت شده است.",
        en="The inquiry “{inquiry_id}” was recorded before.",
        money="none",
        do_fa="پروندهٔ بازشده را بررسی کنید.",
        do_en="Look into the case that was opened.",
    ),
    "books.not_storable": ErrorText(
        fa="ثبت چیزی دارد که پایگاه داده نمی‌پذیرد.",
        en="The entry holds something the database does not take.",
        money="may_have_moved",
        do_fa="پروندهٔ بازشده را بررسی کنید؛ خود ثبت دست‌نخورده نگه داشته شده است.",
        do_en="Look into the case that was opened; the entry itself is kept as it came.",
    ),
    "books.other_amount": ErrorText(
        fa="پایانه مبلغ دیگری را تأیید کرده است: {amount_rial} ریال.",
        en="The terminal approved another amount: {amount_rial} rial.",
        money="moved",
        do_fa="پروندهٔ بازشده را بررسی کنید.",
        do_en="Look into the case that was opened.",
    ),
    "books.payment_known_already": ErrorText(
        fa="این پرداخت پیش‌تر ثبت شده است.",
        en="This payment was recorded before.",
        money="none",
        do_fa="پروندهٔ بازشده را بررسی کنید.",
        do_en="Look into the case that was opened.",
    ),
    "books.unknown_account": ErrorText(
        fa="حسابی به نام «{account}» در دفتر کل نیست.",
        en="The ledger has no account “{account}”.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "books.unknown_payment": ErrorText(
        fa="ثبتی دربارهٔ پرداختی آمده است که مرکز آن را نمی‌شناسد.",
        en="An entry came about a payment that central does not know.",
        money="may_have_moved",
        do_fa="پروندهٔ بازشده را بررسی کنید.",
        do_en="Look into the case that was opened.",
    ),
    "case.closed": ErrorText(
        fa="پروندهٔ «{case_id}» بسته شده است.",
        en="The case “{case_id}” is closed.",
        money="none",
        do_fa="برای موضوع تازه یادداشت را در پروندهٔ دیگری بنویسید.",
        do_en="Write a new matter into another case.",
    ),
    "case.empty_note": ErrorText(
        fa="یادداشت خالی است یا بیش از {max} حرف دارد.",
        en="The note is empty or longer than {max} letters.",
        money="none",
        do_fa="یادداشت را بنویسید یا کوتاه کنید.",
        do_en="Write the note, or shorten it.",
    ),
    "case.not_a_break": ErrorText(
        fa="این مورد مغایرت نیست و پرونده نمی‌خواهد.",
        en="This is no break; it needs no case.",
        money="none",
        do_fa="از فهرست مغایرت‌ها یکی را برگزینید.",
        do_en="Choose one from the list of breaks.",
    ),
    "case.unknown": ErrorText(
        fa="پرونده‌ای به نام «{case_id}» نیست.",
        en="There is no case “{case_id}”.",
        money="none",
        do_fa="از فهرست پرونده‌ها یکی را برگزینید.",
        do_en="Choose one from the list of cases.",
    ),
    "provider.bad_answer": ErrorText(
        fa="پاسخ سرویس‌دهنده خوانا نیست ({why}).",
        en="The provider's answer cannot be read ({why}).",
        money="none",
        do_fa="مرکز خودش دوباره می‌پرسد؛ کاری لازم نیست.",
        do_en="Central asks again by itself; nothing needs doing.",
    ),
    "provider.no_data_key": ErrorText(
        fa="کلید دادهٔ «{key_id}» به مرکز نرسیده است.",
        en="The data key “{key_id}” has not reached central.",
        money="none",
        do_fa="تبادل دفتر را بررسی کنید؛ استعلام پس از رسیدن کلید پرسیده می‌شود.",
        do_en="Look at the office's exchange; the inquiry is asked once the key is here.",
    ),
    "recon.bad_scope": ErrorText(
        fa="بازهٔ تاریخ وارونه است.",
        en="The date range is the wrong way round.",
        money="none",
        do_fa="تاریخ آغاز را پیش از تاریخ پایان بنویسید.",
        do_en="Give a first day that is not after the last.",
    ),
    "recon.input_twice": ErrorText(
        fa="یک پرداخت یا ردیف دو بار به تطبیق داده شد.",
        en="A payment or row was given to matching twice.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "recon.not_conserved": ErrorText(
        fa="جمع تطبیق با ورودی‌های آن نمی‌خواند؛ نتیجه نگه داشته نشد.",
        en="The run's sums do not tie out to its inputs; the result was not kept.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "recon.not_repeatable": ErrorText(
        fa="همان ورودی‌ها در اجرای {run_id} نتیجهٔ دیگری داده بودند؛ نتیجه نگه داشته نشد.",
        en="The same inputs gave another result in run {run_id}; the result was not kept.",
        money="none",
        do_fa="این پیام را به پشتیبانی بگویید.",
        do_en="Tell support this message.",
    ),
    "recon.unknown_decision": ErrorText(
        fa="چنین موردی در اجرای {run_id} نیست.",
        en="Run {run_id} has no such decision.",
        money="none",
        do_fa="از فهرست همان اجرا یکی را برگزینید.",
        do_en="Choose one from that run's list.",
    ),
    "settlement.bad_cell": ErrorText(
        fa="سطر {line}، ستون «{column}»: «{value}» پذیرفتنی نیست. چیزی از فایل خوانده نشد.",
        en="Line {line}, column “{column}”: “{value}” is not acceptable. Nothing of the file was imported.",
        money="none",
        do_fa="فایل را درست کنید و دوباره بفرستید.",
        do_en="Correct the file and send it again.",
    ),
    "settlement.cell_count": ErrorText(
        fa="سطر {line} به جای {expected} ستون {count} ستون دارد و در «{column}» می‌شکند. چیزی از فایل خوانده نشد.",
        en="Line {line} has {count} cells, not {expected}; it breaks at “{column}”. Nothing of the file was imported.",
        money="none",
        do_fa="شاید فایل نیمه‌کاره باشد؛ آن را دوباره بگیرید و بفرستید.",
        do_en="The file may be cut short; fetch it again and send it.",
    ),
    "settlement.column_twice": ErrorText(
        fa="سطر {line}: ستون «{column}» دو بار آمده است. چیزی از فایل خوانده نشد.",
        en="Line {line}: the column “{column}” stands twice. Nothing of the file was imported.",
        money="none",
        do_fa="یکی از دو ستون را بردارید.",
        do_en="Take one of the two out.",
    ),
    "settlement.duplicate_row": ErrorText(
        fa="سطر {line} همان سطر {first_line} است (ستون «{column}» و همهٔ ستون‌های دیگر). چیزی از فایل خوانده نشد.",
        en="Line {line} is line {first_line} again (column “{column}” and all others). Nothing was imported.",
        money="none",
        do_fa="سطر تکراری را بردارید و فایل را دوباره بفرستید.",
        do_en="Take the repeated line out and send the file again.",
    ),
    "settlement.empty": ErrorText(
        fa="فایل هیچ ردیفی ندارد.",
        en="The file has no rows.",
        money="none",
        do_fa="فایل درست را بفرستید.",
        do_en="Send the right file.",
    ),
    "settlement.full_card_number": ErrorText(
        fa="سطر {line}، ستون «{column}»: شمارهٔ کامل کارت در فایل است. چیزی از فایل خوانده نشد.",
        en="Line {line}, column “{column}” holds a full card number. Nothing of the file was imported.",
        money="none",
        do_fa="از پذیرنده فایلی با شمارهٔ پوشیده بخواهید و این فایل را پاک کنید.",
        do_en="Ask the acquirer for a file with masked numbers, and delete this one.",
    ),
    "settlement.missing_columns": ErrorText(
        fa="سطر {line}: این ستون‌ها نیستند: {column}. چیزی از فایل خوانده نشد.",
        en="Line {line}: these columns are missing: {column}. Nothing of the file was imported.",
        money="none",
        do_fa="سطر نام ستون‌ها را کامل کنید.",
        do_en="Complete the header line.",
    ),
    "settlement.not_csv": ErrorText(
        fa="سطر {line}: این فایل CSV تسویه نیست. چیزی از آن خوانده نشد.",
        en="Line {line}: this is no settlement CSV. Nothing of it was imported.",
        money="none",
        do_fa="فایل را با قالب CSV و با سطر نام ستون‌ها بفرستید.",
        do_en="Send it as CSV with a header line.",
    ),
    "settlement.not_text": ErrorText(
        fa="سطر {line}: فایل متن UTF-8 نیست. چیزی از آن خوانده نشد.",
        en="Line {line}: the file is not UTF-8 text. Nothing of it was imported.",
        money="none",
        do_fa="فایل را با کدبندی UTF-8 ذخیره کنید و دوباره بفرستید.",
        do_en="Save the file as UTF-8 and send it again.",
    ),
    "settlement.same_file": ErrorText(
        fa="این فایل را {imported_by} در {imported_at} با نام «{name}» فرستاده است. چیزی دوباره ثبت نشد.",
        en="{imported_by} sent this very file on {imported_at}, named “{name}”. Nothing was recorded twice.",
        money="none",
        do_fa="کاری لازم نیست؛ فایل پیشین برقرار است.",
        do_en="Nothing needs doing; the earlier import stands.",
    ),
    "settlement.too_large": ErrorText(
        fa="فایل از {max_bytes} بایت بزرگ‌تر است.",
        en="The file is larger than {max_bytes} bytes.",
        money="none",
        do_fa="آن را به چند فایل بخش کنید، هر روز مالی یک فایل.",
        do_en="Split it, one file for each financial day.",
    ),
    "settlement.unknown_column": ErrorText(
        fa="سطر {line}: ستون «{column}» شناخته نیست. چیزی از فایل خوانده نشد.",
        en="Line {line}: the column “{column}” is not known. Nothing of the file was imported.",
        money="none",
        do_fa="نام ستون را درست کنید یا آن را بردارید.",
        do_en="Correct the column's name or take it out.",
    ),
}
