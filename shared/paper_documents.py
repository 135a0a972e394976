"""Every paper there is, by the facts it is made of."""

from shared.atm_slip import CashSlipFacts
from shared.paper_facts import (
    BillReceiptFacts,
    DaySlipFacts,
    Facts,
    FineReceiptFacts,
    GroupSlipFacts,
    InquiryTicketFacts,
    OrderReceiptFacts,
    PrinterTestFacts,
    ProvisioningReportFacts,
    RefundSlipFacts,
    ServiceReceiptFacts,
    ServiceTicketFacts,
)

FACTS: tuple[type[Facts], ...] = (
    BillReceiptFacts,
    ServiceReceiptFacts,
    FineReceiptFacts,
    OrderReceiptFacts,
    GroupSlipFacts,
    InquiryTicketFacts,
    ServiceTicketFacts,
    RefundSlipFacts,
    DaySlipFacts,
    PrinterTestFacts,
    ProvisioningReportFacts,
    CashSlipFacts,
)
