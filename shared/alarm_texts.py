"""Alarms in words: for every kind that a box or central raises, what was seen and what to do now."""

from typing import Final

import msgspec

from shared.text import Language


class AlarmText(msgspec.Struct, frozen=True):
    """An alarm in words. `fa`, `en`: what was seen; `do_fa`, `do_en`: what to do now."""

    fa: str
    en: str
    do_fa: str
    do_en: str


ALARMS: Final[dict[str, AlarmText]] = {
    # --- raised by a box
    "answer_mismatch": AlarmText(
        "پاسخ کارتخوان با پرداخت نمی‌خواند",
        "The terminal’s answer does not match the payment",
        "شاید پول برداشت شده باشد. کارت را دوباره نکشید؛ رسید کارتخوان را نگه دارید و به پشتیبانی بگویید.",
        "The card may have been charged. Do not charge again; keep the terminal’s slip and tell support.",
    ),
    "charge_mismatch": AlarmText(
        "کارتخوان از برداشتی گفت که با پرداخت نمی‌خواند",
        "The terminal told of a charge that does not match the payment",
        "احتمالاً پول برداشت شده است. کارت را دوباره نکشید؛ رسید کارتخوان را نگه دارید و به پشتیبانی بگویید.",
        "The card was probably charged. Do not charge again; keep the terminal’s slip and tell support.",
    ),
    "not_found_unproved": AlarmText(
        "کارتخوان پرداخت را نمی‌شناسد، ولی معلوم نیست همان کارتخوان باشد",
        "The terminal does not know the payment, but it may be another terminal",
        "شمارهٔ کارتخوان هنگام فرستادن مبلغ معلوم نبود، پس پاسخش چیزی را ثابت نمی‌کند. کارت را دوباره نکشید؛ رسید "
        "کارتخوان را بیابید: سرپرست با آن گواهی می‌دهد، یا پاسخ پذیرنده از مرکز می‌رسد.",
        "Its number was not known when the amount was sent: its answer proves nothing. Do not charge again; look for "
        "the terminal’s slip: a supervisor decides by it, or the acquirer’s answer comes from central.",
    ),
    "terminal_cannot_tell": AlarmText(
        "کارتخوان نمی‌تواند بگوید پرداخت چه شد",
        "The terminal cannot tell what became of a payment",
        "آخرین تراکنش کارتخوان تراکنش دیگری است، پاسخش چیزی را ثابت نمی‌کند، یا دیگر در تنظیمات نیست. کارت را دوباره "
        "نکشید؛ رسید کارتخوان را بیابید: سرپرست با آن گواهی می‌دهد، یا پاسخ پذیرنده از مرکز می‌رسد.",
        "Its last transaction is another one, its answer proves nothing, or it is no longer set up. Do not charge "
        "again; look for the terminal’s slip: a supervisor decides by it, or the acquirer’s answer comes from central.",
    ),
    "sale_not_kept": AlarmText(
        "کارتخوان نمی‌گوید فروش را نگه می‌دارد",
        "The terminal does not say that it keeps a sale",
        "کارتخوان از برداشت می‌گوید، ولی تأیید آن را پاسخ نمی‌دهد و شاید آن را برگرداند. کارت را دوباره نکشید؛ رسید "
        "کارتخوان را ببینید: سرپرست با آن گواهی می‌دهد، یا پاسخ پذیرنده از مرکز می‌رسد.",
        "It tells of the charge, but does not answer when told to keep it, and may take it back. Do not charge again; "
        "look at the terminal’s slip: a supervisor decides by it, or the acquirer’s answer comes from central.",
    ),
    "profile_bundle_refused": AlarmText(
        "پروفایل‌های تازهٔ دستگاه‌ها پذیرفته نشد",
        "New device profiles were refused",
        "کار با پروفایل‌های پیشین ادامه دارد و پرداخت‌ها درست‌اند. به پشتیبانی بگویید.",
        "Work goes on with the profiles of before, and payments are right. Tell support.",
    ),
    "catalogue_refused": AlarmText(
        "فهرست تازهٔ خدمات پذیرفته نشد",
        "A new catalogue of services was refused",
        "کار با فهرست پیشین ادامه دارد و پرداخت‌ها درست‌اند. به پشتیبانی بگویید.",
        "Work goes on with the catalogue of before, and payments are right. Tell support.",
    ),
    "second_charge": AlarmText(
        "یک پرداخت، دو برداشت",
        "One payment, two charges",
        "کارتخوان برای یک پرداخت از دو برداشت گفت. رسیدهای آن را نگه دارید و به پشتیبانی بگویید تا یکی برگردد.",
        "The terminal told of two charges for one payment. Keep its slips and tell support, so that one is returned.",
    ),
    "answers_disagree": AlarmText(
        "یک بار گفته شد برداشت شده است و یک بار نشده",
        "Once said to be charged, once said not to be",
        "این پرداخت نامشخص می‌ماند و دوباره کشیده نمی‌شود. رسید کارتخوان را بیابید؛ سرپرست با آن گواهی می‌دهد.",
        "The payment stays in doubt and is not charged again. Find the terminal’s slip; a supervisor decides by it.",
    ),
    "late_approval": AlarmText(
        "تأیید کارتخوان دیر رسید",
        "The terminal’s approval came late",
        "پرداختی که برداشت‌نشده شمرده شده بود برداشت شده است. قبض را دوباره نپردازید؛ مرکز پرونده را پی می‌گیرد.",
        "A payment that counted as not charged was charged. Do not pay the bill again; central follows the case.",
    ),
    "approval_out_of_place": AlarmText(
        "کارتخوان چیزی را تأیید کرد که به آن فرستاده نشده بود",
        "The terminal approved what was never sent to it",
        "شاید پول برداشت شده باشد. رسید کارتخوان را نگه دارید و به پشتیبانی بگویید.",
        "A card may have been charged. Keep the terminal’s slip and tell support.",
    ),
    "stray_approval": AlarmText(
        "برداشتی که از این دستگاه نیست",
        "A charge this box did not ask for",
        "کارتخوان از برداشتی گفت که هیچ پرداخت این دفتر نیست. رسید آن را نگه دارید و به پشتیبانی بگویید.",
        "The terminal told of a charge that is no payment of this office. Keep its slip and tell support.",
    ),
    "feed_broken": AlarmText(
        "پاسخ‌های مرکز درست نمی‌رسد",
        "Central’s answers do not arrive intact",
        "پرداخت کار می‌کند، ولی تأیید شرکت و پاسخ استعلام شاید نرسد. به پشتیبانی بگویید.",
        "Payments work, but confirmations and answers to inquiries may not arrive. Tell support.",
    ),
    "quarantined": AlarmText(
        "مرکز این دستگاه را کنار گذاشت",
        "Central set this box aside",
        "چیزی را پاک یا بازنشانی نکنید؛ با پشتیبانی تماس بگیرید.",
        "Delete and reset nothing; call support.",
    ),
    "succeeded": AlarmText(
        "دستگاه دیگری جای این دستگاه را گرفته است",
        "Another box has taken over from this one",
        "این دستگاه دیگر پرداختی نمی‌پذیرد؛ با دستگاه تازه کار کنید. روشن بماند تا آنچه نفرستاده به مرکز برسد.",
        "This box takes no payment any more; work with the new one. Leave it on until all it has is at central.",
    ),
    "storage_failed": AlarmText(
        "حافظهٔ دستگاه مدتی از کار افتاد",
        "The box’s storage failed for a while",
        "دوباره کار می‌کند. پرداخت‌های نیمه‌کاره از کارتخوان پرسیده می‌شود؛ اگر تکرار شد حافظه را عوض کنید.",
        "It works again. Payments that were cut short are asked about; if it happens again, replace the storage.",
    ),
    "disk_filling": AlarmText(
        "حافظهٔ دستگاه رو به پر شدن است",
        "The box’s storage is filling up",
        "چیزی را پاک نکنید؛ به پشتیبانی بگویید تا جا باز کند.",
        "Delete nothing; tell support, so that room is made.",
    ),
    "disk_nearly_full": AlarmText(
        "حافظهٔ دستگاه نزدیک پر شدن است",
        "The box’s storage is nearly full",
        "امروز به پشتیبانی بگویید. اگر پر شود پرداخت و استعلام تازه پذیرفته نمی‌شود.",
        "Tell support today. Once it is full, no new payment or inquiry is taken.",
    ),
    "disk_full": AlarmText(
        "حافظهٔ دستگاه پر است",
        "The box’s storage is full",
        "پرداخت و استعلام تازه پذیرفته نمی‌شود؛ چاپ، پرسیدن نامشخص‌ها و بستن روز کار می‌کند. به پشتیبانی بگویید.",
        "No new payment or inquiry is taken; printing, asking about doubts and closing the day work. Call support.",
    ),
    "clock_differs": AlarmText(
        "ساعت دستگاه با ساعت مرکز نمی‌خواند",
        "The box’s clock differs from central’s",
        "پرداخت درست کار می‌کند؛ تاریخ روی برگه‌ها از ساعت مرکز گرفته می‌شود. به تکنسین بگویید.",
        "Payments are right; dates on papers follow central’s clock. Tell the technician.",
    ),
    # --- raised at central
    "clone": AlarmText(
        "دو دستگاه با یک کلید",
        "Two boxes with one key",
        "هر دو دستگاه را بیابید و یکی را خاموش کنید. تا آن هنگام ثبت‌هایش کنار نگه داشته می‌شود.",
        "Find both boxes and switch one off. Until then its entries are kept aside.",
    ),
    "clone_or_restored": AlarmText(
        "دستگاه تکثیرشده یا بازگردانده‌شده",
        "A cloned or restored box",
        "از تکنسین بپرسید آیا پشتیبانی بازگردانده شده است. ثبت‌هایش کنار نگه داشته می‌شود.",
        "Ask the technician whether a backup was restored. Its entries are kept aside.",
    ),
    "former_key": AlarmText(
        "پیامی با کلید پیشین دستگاه",
        "A message signed by the box’s former key",
        "رونوشت کهنهٔ حافظه یا کسی که کلید پیشین را دارد. دستگاه اصلی کارش را ادامه می‌دهد؛ آن دیگری را بیابید.",
        "An old copy of the storage, or somebody who kept the old key. The box itself goes on; find the other one.",
    ),
    "bad_rotation": AlarmText(
        "تعویض کلید ثابت نشده",
        "A key rotation that proves nothing",
        "کلید پیشین همچنان معتبر است. برنامهٔ دستگاه را پیش از هر کاری بررسی کنید.",
        "The old key stays the journal’s. Look at the box’s program before anything else.",
    ),
    "state_loss": AlarmText(
        "دستگاه حافظه‌اش را از دست داده است",
        "The box lost its memory",
        "حافظهٔ دستگاه را پیش از هر کار دیگری نگه دارید. ثبت‌هایش کنار نگه داشته می‌شود.",
        "Keep the box’s storage before anything else. Its entries are kept aside.",
    ),
    "fork": AlarmText(
        "دو سرگذشت از یک دفتر روزنامه",
        "Two histories of one journal",
        "هر دو شاخه نگه داشته شده است. پیش از بررسی، پولی را بر پایهٔ شاخهٔ دوم جابه‌جا نکنید.",
        "Both branches are kept. Move no money on the second one before it was looked at.",
    ),
    "rollback": AlarmText(
        "دفتر روزنامه کوتاه شده است",
        "The journal became shorter",
        "آن‌چه مرکز پیش‌تر گواهی کرده سر جایش است. از تکنسین بپرسید بر سر دستگاه چه آمده است.",
        "What central cosigned before is still here. Ask the technician what happened to the box.",
    ),
    "central_restored": AlarmText(
        "مرکز از پشتیبان بازگردانده شده است",
        "Central was restored from a backup",
        "دستگاه گواهی‌ای دارد که مرکز دیگر ندارد. ثبت‌های گم‌شده خودش دوباره می‌رسد؛ سرپرست سامانه را خبر کنید.",
        "The box has a cosignature that central lost. Lost entries come again by themselves; tell the administrator.",
    ),
    "day_differs": AlarmText(
        "بستن روز با ثبت‌های دفتر نمی‌خواند",
        "A day’s close is not what the journal’s entries give",
        "ثبت نگه داشته شده است. جمع‌های روز را با پرداخت‌های همان روز بسنجید و پشتیبانی برنامهٔ دستگاه را خبر کنید.",
        "The entry is kept. Hold the day’s totals against its payments, and tell support of the box’s program.",
    ),
    "batch_differs": AlarmText(
        "گزارش کارتخوان با دفتر نمی‌خواند",
        "A terminal’s own report differs from the journal",
        "روز بسته شده است. دو گزارش را کنار هم بگذارید؛ چیزی را دوباره نکشید و مرکز را خبر کنید.",
        "The day is closed. Lay the two reports side by side; charge nothing again and tell central.",
    ),
    "bad_link": AlarmText(
        "زنجیرهٔ ثبت‌ها درست نیست",
        "An entry’s link is wrong",
        "ثبت نگه داشته شده است و دیگر ثبت‌ها را نگه نمی‌دارد. پشتیبانی برنامهٔ دستگاه را ببیند.",
        "The entry is kept and holds no other up. Support should look at the box’s program.",
    ),
    "bad_envelope": AlarmText(
        "ثبت ناخوانا",
        "An unreadable entry",
        "ثبت نگه داشته شده است و دیگر ثبت‌ها را نگه نمی‌دارد. پشتیبانی برنامهٔ دستگاه را ببیند.",
        "The entry is kept and holds no other up. Support should look at the box’s program.",
    ),
    "posting_failed": AlarmText(
        "ثبت در دفتر کل نشد",
        "Not taken into the books",
        "ثبت نگه داشته شده ولی در دفتر کل نیست؛ تراز تا رفع آن کامل نیست. سرپرست سامانه را خبر کنید.",
        "The entry is kept but not in the ledger; the balance is not whole until then. Tell the administrator.",
    ),
}
"""Words for every kind of alarm that a box or central raises."""

_UNKNOWN_ALARM: Final = AlarmText(
    "هشداری که نامش را نمی‌شناسیم ({kind})",
    "An alarm we have no words for ({kind})",
    "آن را با همین نام به پشتیبانی بگویید.",
    "Tell support, with this name.",
)


def alarm_text(kind: str, language: Language) -> tuple[str, str]:
    """Return what an alarm says and what to do now; a kind of another release is named as it is."""
    found = ALARMS.get(kind, _UNKNOWN_ALARM)
    what, do = (found.fa, found.do_fa) if language == "fa" else (found.en, found.do_en)
    return what.replace("{kind}", kind), do
