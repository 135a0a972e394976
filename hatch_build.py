"""Copy the font and the scripts of the pages out of pinned packages into an ignored folder, hashes checked.

Nothing third-party is in the repository and nothing is fetched by a browser: the wheel carries these files.
"""

import hashlib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = (
    (
        "django-htmx",
        "django_htmx/static/django_htmx/htmx-2.min.js",
        "htmx.min.js",
        "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de",
    ),
    (
        "django-jalali-suite",
        "jalali_suite/static/jalali_suite/fonts/Vazirmatn-Regular.woff2",
        "vazirmatn.woff2",
        "e382101336c6eb32cfb31381c027d02d2e0354bad08f6a395d4088beb3db3d91",
    ),
)
"""(distribution, path inside it, our name, SHA-256)."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Runs before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Copy each asset; stop the build when one is not the file that was pinned."""
        folder = Path(self.root) / "shared" / "assets" / "vendor"
        folder.mkdir(parents=True, exist_ok=True)
        for package, inside, name, sha256 in ASSETS:
            data = Path(str(distribution(package).locate_file(inside))).read_bytes()
            found = hashlib.sha256(data).hexdigest()
            if found != sha256:
                raise ValueError(f"{package}: {inside} has SHA-256 {found}, pinned is {sha256}")
            (folder / name).write_bytes(data)
