import msgspec

from shared.payment import PaymentState
from tests.edge.web.conftest import Browser
from tests.edge.web.fake_counter import FakeCounter
from tests.edge.web.pages.test_bills import REVIEW


async def test_a_proof_is_offered_once_central_has_cosigned_and_not_before(operator: Browser, counter: FakeCounter):
    answer = await operator.send(REVIEW, "/payments")
    address = answer.headers["location"]
    payment_id = address.rpartition("/")[2]
    assert "/proof" not in (await operator.get(address)).text
    assert (await operator.get(f"{address}/proof")).status_code == 404
    approved = msgspec.structs.replace(
        counter.queries.all_payments[payment_id],
        state=PaymentState.APPROVED,
        outcome_index=17,
        outcome_leaf="ab" * 32,
        cosigned=True,
    )
    counter.queries.all_payments[payment_id] = approved
    assert f'href="{address}/proof"' in (await operator.get(address)).text
    proof = await operator.get(f"{address}/proof")
    assert proof.status_code == 200
    assert proof.text == "c2sp.org/tlog-proof@v1\nindex 17\n"
    assert 'filename="daftar-journal-72101001-b1-1-17.tlog-proof"' in proof.headers["content-disposition"]
    assert (await operator.get("/payments/unknown/proof")).status_code == 404
