"""What a conformance run found of one profile, and what it cannot find."""

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried: what, whether it held, and what was seen when it did not."""

    what: str
    held: bool
    seen: str = ""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All that was tried of one profile."""

    profile: str
    findings: tuple[Finding, ...]
    hardware_only: tuple[str, ...]
    """What nothing but the device itself can prove."""

    @property
    def good(self) -> bool:
        """Return whether everything held."""
        return all(finding.held for finding in self.findings)
