"""The chart of accounts: where money stands between the customer's card and the biller.

    settled, receivable:<terminal>, doubtful        debit side: what others owe the centre, or have paid in
    recoverable                                     debit side: owed on or paid to a customer without the money for it
    losses                                          debit side: what the centre bears, by the word of two people
    unconfirmed, biller:<kind>, fees, refunds       credit side: what the centre owes on
    acquirer_pays:<terminal>                        credit side: what the acquirer pays on to billers itself
    company, office, vat, provider:<service>        credit side: whose the shares of a fee are, and a service's order
    paid_out                                        credit side: what it gave customers out of its own account

A card payment of a bill moves, with each step's evidence:

    sent        receivable ← unconfirmed    pending: in no balance
    approved    receivable ← unconfirmed    posted
    confirmed   unconfirmed ← biller        the provider took it
    refused     unconfirmed ← refunds       the provider will not; the customer is owed
    settled     settled ← receivable        the acquirer's file says so
    reversed    the approval's transfer, turned round; recoverable ← receivable where the biller took it already
    withdrawn   the settlement's transfer, turned round: a corrected file does not have it
    case        what two people decide when they close a case (`central.ledger.closings`)
    paid_out    recoverable ← the claim that a customer was paid out of, and that is somebody else's since

A bill that the terminal was told to pay by its ids goes to `acquirer_pays:<terminal>`, from the start: nobody is asked,
the acquirer owes the money and pays it on to the biller itself, and the two stand against each other until the
acquirer's file accounts for the charge: then acquirer_pays ← receivable, and none of it was ever the centre's.

An order of a service goes to `provider:<service>` where a bill goes to its biller. A charge of several obligations is
one receivable, and each of its items has its own claim. A service's fee is held in `fees` until its request has a
result; then it is the shares' of its tariff, or the customer's (`refunds`). `central.ledger.positions` has the rule.
"""

from typing import Final, Literal

import msgspec

AccountKind = Literal[
    "receivable",
    "unconfirmed",
    "biller",
    "acquirer_pays",
    "provider",
    "fees",
    "company",
    "office",
    "vat",
    "refunds",
    "doubtful",
    "settled",
    "recoverable",
    "losses",
    "paid_out",
]
Side = Literal["debit", "credit"]
_DETAIL_SIZE_MAX: Final = 200
"""What a code's index holds; a catalogue's codes are much shorter."""

UNKNOWN_TERMINAL: Final = "unknown"
"""Stands for the acquirer's terminal number where no entry has named it yet."""

_SIDES: Final[dict[AccountKind, Side]] = {
    "receivable": "debit",
    "doubtful": "debit",
    "settled": "debit",
    "recoverable": "debit",
    "losses": "debit",
    "unconfirmed": "credit",
    "biller": "credit",
    "acquirer_pays": "credit",
    "provider": "credit",
    "fees": "credit",
    "company": "credit",
    "office": "credit",
    "vat": "credit",
    "refunds": "credit",
    "paid_out": "credit",
}

ACCOUNT_NAMES: Final[dict[AccountKind, tuple[str, str]]] = {
    "receivable": ("طلب از پذیرندهٔ کارت · پایانه {detail}", "Receivable from acquirer · terminal {detail}"),
    "doubtful": ("دریافتی به گفتهٔ سرپرست، بدون سند", "Charged by a supervisor's word, without evidence"),
    "settled": ("تسویه شده توسط پذیرنده", "Settled by the acquirer"),
    "unconfirmed": ("تعهد تأیید نشده", "Unconfirmed obligations"),
    "recoverable": ("تأییدشده یا برگردانده‌شده بی‌پول", "Taken by a biller, or paid back, without the money for it"),
    "biller": ("بدهی به صادرکنندهٔ قبض · {detail}", "Payable to biller · {detail}"),
    "acquirer_pays": (
        "قبض‌هایی که خود پذیرنده می‌پردازد · پایانه {detail}",
        "Bills that the acquirer pays itself · terminal {detail}",
    ),
    "provider": ("بدهی به ارائه‌دهندهٔ خدمت · {detail}", "Payable to the provider of a service · {detail}"),
    "fees": ("کارمزد استعلام نزد مرکز", "Inquiry fees held"),
    "company": ("سهم شرکت از کارمزدها", "The company's share of fees"),
    "office": ("سهم دفترها از کارمزدها", "Offices' share of fees"),
    "vat": ("مالیات بر ارزش افزوده", "Value added tax"),
    "refunds": ("برگشت به مشتری", "Refunds payable"),
    "losses": ("زیان پذیرفته‌شده", "Losses taken"),
    "paid_out": ("پرداخت‌شده از حساب مرکز به مشتریان", "Paid to customers out of the centre's own account"),
}
"""Names of account kinds, Persian and English."""


class Account(msgspec.Struct, frozen=True):
    """One account. `detail` is the terminal number, the bill kind, the service, or empty."""

    kind: AccountKind
    detail: str = ""

    @property
    def code(self) -> str:
        """Return the account's key: `kind` or `kind:detail`."""
        return f"{self.kind}:{self.detail}" if self.detail else self.kind

    @property
    def side(self) -> Side:
        """Return the side on which the account grows."""
        return _SIDES[self.kind]


def receivable(terminal_number: str | None) -> Account:
    """Return what the acquirer of this terminal owes."""
    return Account("receivable", terminal_number or UNKNOWN_TERMINAL)


def biller(kind: str) -> Account:
    """Return what is owed to the billers of one kind."""
    return Account("biller", kind)


def acquirer_pays(terminal_number: str | None) -> Account:
    """Return what the acquirer of this terminal pays on to billers itself."""
    return Account("acquirer_pays", terminal_number or UNKNOWN_TERMINAL)


def provider_of(service: str) -> Account:
    """Return what is owed to the provider of a service."""
    return Account("provider", service[:_DETAIL_SIZE_MAX] or "other")


UNCONFIRMED: Final = Account("unconfirmed")
FEES: Final = Account("fees")
COMPANY: Final = Account("company")
OFFICE: Final = Account("office")
VAT: Final = Account("vat")
REFUNDS: Final = Account("refunds")
DOUBTFUL: Final = Account("doubtful")
SETTLED: Final = Account("settled")
RECOVERABLE: Final = Account("recoverable")
LOSSES: Final = Account("losses")
PAID_OUT: Final = Account("paid_out")


def account_name(kind: AccountKind, detail: str) -> tuple[str, str]:
    """Return the account's name in Persian and English."""
    persian, english = ACCOUNT_NAMES[kind]
    return persian.format(detail=detail), english.format(detail=detail)
