"""The proof that one entry stands in a cosigned tree, as text for whoever holds its receipt: C2SP tlog-proof.

    c2sp.org/tlog-proof@v1
    extra <base64 of the entry's leaf hash>
    index <index>
    <base64 of a hash of the inclusion path, lowest first>        as many as there are
    (an empty line)
    <the cosigned checkpoint>

The leaf is what the paper names; the entry itself is not in the proof, so it tells nothing of the payment.
"""

import base64
from typing import Final

from shared.journal.checkpoint import parse_checkpoint
from shared.journal.note import parse_note
from shared.journal.tree import Node, check_inclusion, inclusion_proof

HEAD: Final = "c2sp.org/tlog-proof@v1"
FILE_SUFFIX: Final = ".tlog-proof"


def receipt_proof(cosigned: str, index: int, leaf: bytes, node: Node) -> str | None:
    """Return the proof that `leaf` is entry `index` of the cosigned note's tree; None while it is not in it.

    Raises IntegrityError `tree.not_included` where the tree that `node` looks up is not the one that was cosigned, and
    what reading the note raises.
    """
    if not cosigned:
        return None
    checkpoint = parse_checkpoint(parse_note(cosigned))
    if index >= checkpoint.size:
        return None
    path = inclusion_proof(index, checkpoint.size, node)
    check_inclusion(leaf, index, checkpoint.size, path, checkpoint.root)
    lines = [HEAD, f"extra {_base64(leaf)}", f"index {index}", *map(_base64, path)]
    return "\n".join(lines) + "\n\n" + cosigned


def proof_file_name(journal: str, index: int) -> str:
    """Return what the file is called: letters, digits and dashes."""
    return journal.replace("/", "-").replace(".", "-") + f"-{index}{FILE_SUFFIX}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
