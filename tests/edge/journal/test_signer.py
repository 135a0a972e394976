from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.journal.signer import FileSigner
from shared.errors import IntegrityError, OperatorError
from tests.edge.store.boxes import CountedEntropy


def test_a_key_file_signs_and_only_its_owner_reads_it(tmp_path: Path):
    path = tmp_path / "box.key"
    made = FileSigner.create(path, CountedEntropy())
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = FileSigner.load(path)
    assert loaded.public_key == made.public_key
    Ed25519PublicKey.from_public_bytes(made.public_key).verify(loaded.sign(b"fact"), b"fact")
    assert path.read_bytes().hex() not in repr(loaded)


def test_a_key_is_never_written_over(tmp_path: Path):
    path = tmp_path / "box.key"
    FileSigner.create(path, CountedEntropy())
    before = path.read_bytes()
    with pytest.raises(OperatorError) as caught:
        FileSigner.create(path, CountedEntropy("other"))
    assert caught.value.code == "signer.exists"
    assert path.read_bytes() == before


def test_a_key_that_is_missing_cut_or_open_to_others_is_not_used(tmp_path: Path):
    path = tmp_path / "box.key"
    with pytest.raises(OperatorError) as missing:
        FileSigner.load(path)
    path.write_bytes(b"half")
    path.chmod(0o600)
    with pytest.raises(IntegrityError) as cut:
        FileSigner.load(path)
    path.chmod(0o640)
    with pytest.raises(IntegrityError) as unsafe:
        FileSigner.load(path)
    codes = [caught.value.code for caught in (missing, cut, unsafe)]
    assert codes == ["signer.missing", "signer.malformed", "signer.unsafe"]
