"""Sealing to offices, and opening what they sealed: their monthly keys, unwrapped with central's own. Kept nowhere."""

from typing import Any

import msgspec
from sqlalchemy import Connection, select

from central.store.books import office_data_key
from shared.errors import IntegrityError, PeerError
from shared.events import DATA_KEY_PURPOSE, INQUIRY_PARAMETER_PURPOSE, SERVICE_FIELDS_PURPOSE
from shared.sealed import Sealed, seal, unseal


class DataKeys:
    """Opens what offices sealed."""

    def __init__(self, wrapping_private: bytes) -> None:
        self._wrapping_private = wrapping_private

    def open_parameter(self, connection: Connection, office_id: str, sealed: Sealed) -> str:
        """Return the subscriber's number of an inquiry.

        Raises PeerError `provider.no_data_key` when the key did not come yet; IntegrityError `sealed.cannot_open`.
        """
        opened = self._open(connection, office_id, sealed, INQUIRY_PARAMETER_PURPOSE)
        try:
            return opened.decode("ascii")
        except ValueError as error:
            raise IntegrityError("sealed.cannot_open", key_id=sealed.key_id) from error

    def open_fields(self, connection: Connection, office_id: str, sealed: Sealed) -> dict[str, str]:
        """Return the fields of a request for a service. Raises as `open_parameter`."""
        opened = self._open(connection, office_id, sealed, SERVICE_FIELDS_PURPOSE)
        try:
            return msgspec.json.decode(opened, type=dict[str, str])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IntegrityError("sealed.cannot_open", key_id=sealed.key_id) from error

    def _open(self, connection: Connection, office_id: str, sealed: Sealed, purpose: str) -> bytes:
        wrapped = Sealed(key_id=sealed.key_id, ciphertext=_key(connection, office_id, sealed.key_id).wrapped)
        private = unseal(wrapped, private_key=self._wrapping_private, purpose=DATA_KEY_PURPOSE)
        try:
            return unseal(sealed, private_key=private, purpose=purpose)
        except ValueError as error:
            raise IntegrityError("sealed.cannot_open", key_id=sealed.key_id) from error


def seal_to_office(connection: Connection, office_id: str, key_id: str, plaintext: bytes, *, purpose: str) -> Sealed:
    """Return something for an office alone to read.

    Raises PeerError `provider.no_data_key`; IntegrityError `sealed.cannot_open` for a key that is none.
    """
    public_key = _key(connection, office_id, key_id).public_key
    try:
        return seal(plaintext, key_id=key_id, public_key=bytes.fromhex(public_key), purpose=purpose)
    except ValueError as error:
        raise IntegrityError("sealed.cannot_open", key_id=key_id) from error


def _key(connection: Connection, office_id: str, key_id: str) -> Any:
    row = connection.execute(
        select(office_data_key.c.wrapped, office_data_key.c.public_key).where(
            office_data_key.c.office_id == office_id, office_data_key.c.key_id == key_id
        )
    ).one_or_none()
    if row is None:
        raise PeerError("provider.no_data_key", key_id=key_id)
    return row
