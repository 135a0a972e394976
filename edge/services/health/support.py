"""Give a manager what support needs to know of the box that runs: as a file, or onto a USB stick."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from edge.journal.stick import find_stick, write_file
from edge.journal.zipped import zipped
from edge.services.devices.find_devices import FindDevices
from edge.services.health.diagnose import RunningBox, diagnosis, file_name
from shared.clock import Clock


class Archive(msgspec.Struct, frozen=True):
    """An archive on its way. Reading its pieces blocks; another thread does it."""

    name: str
    pieces: Iterator[bytes]


class Support:
    """Makes the archive."""

    def __init__(
        self, folder: Path, *, clock: Clock, software: str, finding: FindDevices, running: Callable[[], RunningBox]
    ) -> None:
        """Take the box's folder, the search for devices and what the box says of itself now."""
        self._folder = folder
        self._clock = clock
        self._software = software
        self._finding = finding
        self._running = running

    def archive(self) -> Archive:
        """Return it; what the box says is of now, the rest is read while the pieces are."""
        files = diagnosis(
            self._folder,
            self._clock,
            software=self._software,
            found=self._finding.search.found,
            running=self._running(),
        )
        return Archive(file_name(self._clock.now()), zipped(files))

    async def to_stick(self) -> str:
        """Write it onto the stick that is plugged in, read it back, and return where it is.

        Raises OperatorError `export.no_stick`, `export.several_sticks`; DeviceError `export.not_written`;
        IntegrityError `export.not_read_back`.
        """
        archive = self.archive()

        def write() -> str:
            return str(write_file(find_stick(), archive.name, archive.pieces).path)

        return await asyncio.to_thread(write)
