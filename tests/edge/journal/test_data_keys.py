import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.journal.data_keys import make_data_key, window_start
from shared.events import DATA_KEY_PURPOSE
from shared.sealed import Sealed, unseal
from tests.edge.store.boxes import Central, CountedEntropy


@pytest.mark.parametrize(
    ("month", "oldest"),
    [("1405-09", "1405-08"), ("1405-01", "1404-12"), ("1405-02", "1405-01"), ("1399-12", "1399-11")],
)
def test_this_month_and_the_one_before_are_kept(month: str, oldest: str):
    assert window_start(month) == oldest


def test_a_key_is_named_by_its_month_and_wrapped_to_central():
    central, entropy = Central(), CountedEntropy()
    wrapping = central.wrapping_key.public_key().public_bytes_raw()
    first, private = make_data_key("1405-09", wrapping_key=wrapping, entropy=entropy)
    second, _ = make_data_key("1405-09", wrapping_key=wrapping, entropy=entropy)
    assert first.key_id != second.key_id
    assert first.key_id.startswith("k1405-09-")
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    assert first.public_key == public.hex()
    opened = unseal(
        Sealed(key_id=first.key_id, ciphertext=first.wrapped),
        private_key=central.wrapping_key.private_bytes_raw(),
        purpose=DATA_KEY_PURPOSE,
    )
    assert opened == private
