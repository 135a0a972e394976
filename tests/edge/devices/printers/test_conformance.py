import pytest
from PIL import Image

from edge.devices.findings import Findings
from edge.devices.printers.conformance import Bench, NotSo, Sample, check_printer, trials
from tests.golden.receipts.papers import profile


def seen(findings: Findings) -> list[tuple[str, str]]:
    return [(finding.what, finding.seen) for finding in findings.findings if not finding.held]


@pytest.mark.parametrize("name", ["epson/tm_t88v", "zjiang/pos_5890"])
async def test_a_model_holds_against_a_virtual_printer_of_it(name: str) -> None:
    findings = await check_printer(profile(name))
    assert seen(findings) == []
    assert len(findings.findings) == len(trials(profile(name))) >= 12
    assert findings.hardware_only


async def test_a_paper_that_is_another_one_is_found() -> None:
    model = profile("generic/escpos_58mm")
    sent, expected = Sample.of(model), Image.new("1", (384, 700), 0)
    async with Bench(model, Sample(expected, sent.job)) as bench:
        assert (await bench.print()).kind == "printed"
        with pytest.raises(NotSo, match="a paper of"):
            await bench.comes_out()
