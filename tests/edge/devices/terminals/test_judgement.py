"""What the last transaction proves, where a terminal can be asked for nothing else."""

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.judgement import (
    NO_TRANSACTION_STAN,
    AskedSale,
    is_newer,
    judge_by_trace,
    judge_last,
    judge_sale,
)
from shared.events import Evidence

PROFILE = load_catalogue().terminal("daftar/virtual_pna")
SALE = AskedSale(reference="1", amount_rial=1_000, terminal_number="98194184", baseline_stan="000100")


def said(code: str = "00", **other: object) -> Evidence:
    whole = Evidence(
        source="last_transaction",
        response_code=code,
        amount_rial=1_000,
        stan="000101",
        rrn="000000000001",
        terminal_number="98194184",
    )
    return msgspec.structs.replace(whole, **other)


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (said(), "approved"),
        (said(stan="000150"), "approved"),
        (said(stan="000100"), "not_found"),
        (said(stan="000100", amount_rial=7), "not_found"),
        (said("99"), "not_found"),
        (said("51"), "not_found"),
        (said("51", stan="000102"), "unclear"),
        (said("50"), "unclear"),
        (said("ZZ"), "unclear"),
        (said(amount_rial=1_001), "unclear"),
        (said("51", amount_rial=1_001), "unclear"),
        (said(amount_rial=None), "unclear"),
        (said(stan="000099"), "unclear"),
        (said(stan=None), "unclear"),
        (said(terminal_number="98194185"), "unclear"),
        (said(terminal_number=None), "unclear"),
        (said("12", stan=None, amount_rial=None), "unclear"),
    ],
)
def test_only_a_newer_trace_of_that_amount_and_terminal_is_the_sale(evidence: Evidence, kind: str) -> None:
    assert judge_last(evidence, SALE, PROFILE).kind == kind


def test_without_a_baseline_the_last_transaction_proves_nothing() -> None:
    blind = msgspec.structs.replace(SALE, baseline_stan=None)
    assert {judge_last(said(code), blind, PROFILE).kind for code in ("00", "51", "12")} == {"unclear"}


def test_a_terminal_that_had_none_and_has_none_did_not_make_the_sale() -> None:
    first = msgspec.structs.replace(SALE, baseline_stan=NO_TRANSACTION_STAN)
    none = said("12", stan=None, amount_rial=None)
    assert judge_last(none, first, PROFILE).kind == "not_found"
    assert judge_last(said(stan="000001"), first, PROFILE).kind == "approved"
    assert judge_last(none, first, msgspec.structs.replace(PROFILE, no_last_code=None)).kind == "unclear"


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (said("99"), "not_found"),
        (said("99", stan="000102"), "unclear"),
        (said("99", amount_rial=1_001), "unclear"),
        (said("50"), "unclear"),
        (said(), "unclear"),
    ],
)
def test_the_trace_that_an_approval_told_names_the_sale_without_a_baseline(evidence: Evidence, kind: str) -> None:
    status = judge_last(evidence, msgspec.structs.replace(SALE, baseline_stan=None), PROFILE)
    assert judge_by_trace(status, amount_rial=1_000, stan="000101", profile=PROFILE).kind == kind
    assert judge_by_trace(status, amount_rial=1_000, stan=None, profile=PROFILE).kind == "unclear"


@pytest.mark.parametrize(
    ("stan", "baseline", "newer"),
    [
        ("000101", "000100", True),
        ("000100", "000100", False),
        ("000099", "000100", False),
        ("000001", "999999", True),
        ("987654", "000000", True),
    ],
)
def test_traces_begin_anew(*, stan: str, baseline: str, newer: bool) -> None:
    assert is_newer(stan, baseline) is newer


@pytest.mark.parametrize(
    ("evidence", "kind", "reason"),
    [
        (said(), "approved", ""),
        (said(stan="000100"), "in_doubt", "mismatch"),
        (said(stan=None), "in_doubt", "mismatch"),
        (said(amount_rial=None), "in_doubt", "mismatch"),
        (said(amount_rial=1), "in_doubt", "mismatch"),
        (said(terminal_number=None), "in_doubt", "mismatch"),
        (said("51", stan=None, amount_rial=None, terminal_number=None), "declined", ""),
        (said("51", terminal_number="1"), "in_doubt", "mismatch"),
        (said("50", stan=None), "in_doubt", "unclear_code"),
        (said("81", stan=None), "in_doubt", "unclear_code"),
    ],
)
def test_an_answer_without_a_reference_is_known_by_its_trace(evidence: Evidence, kind: str, reason: str) -> None:
    outcome = judge_sale(evidence, SALE, PROFILE)
    assert (outcome.kind, outcome.reason) == (kind, reason)
