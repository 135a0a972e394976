"""How the box itself is: what pages, supervisors and support are told of its storage, clock, journal and last start."""

from typing import Literal

import msgspec

from edge.journal.trouble import Trouble
from shared.clock import ClockQuality

DiskLevel = Literal["ok", "filling", "nearly_full", "full"]
VerifyState = Literal["waiting", "running", "passed", "failed", "unreadable"]


class BootView(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest `boot.started` says."""

    index: int
    at: str
    found_size: int
    cosigned_size: int
    software: str
    signer: str
    clock: str
    in_doubt_count: int
    beside_size: int | None


class DiskView(msgspec.Struct, frozen=True, kw_only=True):
    """How full the medium is. `takes_new` is whether payments and inquiries may begin."""

    level: DiskLevel = "ok"
    percent: int = 0
    reserve_kept: bool = True
    takes_new: bool = True


class VerifyView(msgspec.Struct, frozen=True, kw_only=True):
    """Where the check of the whole journal stands. `why` is a code, when it failed."""

    state: VerifyState = "waiting"
    done: int = 0
    size: int = 0
    passed_at: str | None = None
    passed_size: int = 0
    why: str | None = None


class HeadCopyView(msgspec.Struct, frozen=True, kw_only=True):
    """The copy of the head on a second medium; `places` is empty where none is plugged in."""

    places: tuple[str, ...] = ()
    size: int = 0
    at: str | None = None
    failed: bool = False


class HealthView(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, at one moment."""

    trouble: Trouble | None = None
    support_line: str = ""
    disk: DiskView = DiskView()
    clock: ClockQuality = "ntp"
    clock_differs_s: int | None = None
    boot: BootView | None = None
    verify: VerifyView = VerifyView()
    head_copy: HeadCopyView = HeadCopyView()

    @property
    def warns(self) -> bool:
        """Whether every page has something to say about it."""
        return self.trouble is not None or self.disk.level != "ok" or not self.disk.takes_new or self.clock == "none"
