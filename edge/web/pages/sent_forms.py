"""What every page does with a form that was sent: who sent it, under which key it is done once, where it leads."""

import hashlib
from typing import Final

from litestar.response import Redirect

from edge.web.ports.counter import Operator
from edge.web.rendering import AnyRequest
from shared.errors import OperatorError

_KEY_MAX_LETTERS: Final = 64


def operator_name(request: AnyRequest) -> str:
    """Return the name that entries of this request carry."""
    operator: Operator = request.scope["state"]["operator"]
    return operator.username


def one_time_key(given: str) -> str:
    """Return a form's key, by which pressing twice does nothing twice. Raises OperatorError `auth.form_expired`."""
    if not 0 < len(given) <= _KEY_MAX_LETTERS:
        raise OperatorError("auth.form_expired")
    return given


def form_digest(*values: str) -> bytes:
    """Return what tells two bodies of one key apart."""
    return hashlib.sha256("\n".join(values).encode()).digest()


def seen_other(path: str) -> Redirect:
    """Return what leads on once a form was done: a page that may be loaded again."""
    return Redirect(path, status_code=303)
