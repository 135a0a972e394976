"""What the project takes from others comes locked and is not kept in the tree; who may import whom is a contract."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
# Written in two parts, or this file would find itself.
REGISTRIES = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "unpkg" + ".com",
    "jsdelivr" + ".net",
]
TEXTS = (".py", ".toml", ".txt", ".md", ".html", ".css", ".js", ".json", ".yml", ".yaml", ".cfg", ".sh", ".svg")
THIRD_PARTY = re.compile(
    r"(?:^|/)(?:vendor|node_modules|site-packages)/|\.min\.(?:js|css)$|\.(?:woff2?|ttf|otf|eot|whl|so|dll|jar|zip|gz)$"
    r"|(?:^|/)(?:uv\.lock|pylock.*\.toml|package-lock\.json)$"
)


MADE_HERE = "tests/golden/schemas/"
"""Box files of released schemas, written by `tests/golden/write_schema.py` and kept small."""


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_third_party_is_tracked():
    assert not [name for name in tracked() if THIRD_PARTY.search(name) and not name.startswith(MADE_HERE)]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_versions_and_hashes_but_no_host(lock):
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    for line in re.split(r"(?<!\\)\n", text):
        if line and not line.lstrip().startswith("#"):
            assert re.match(r"[A-Za-z0-9._-]+(?:\[[a-z,]+\])?==\S+", line), line
            assert "--hash=sha256:" in line, line


def test_there_is_a_lock():
    assert LOCKS


def test_no_file_names_a_package_registry():
    named = []
    for name in tracked():
        if name.endswith(TEXTS) or "." not in Path(name).name:
            text = (ROOT / name).read_text(encoding="utf-8")
            named += [(name, host) for host in REGISTRIES if host in text and re.search(rf"\b{re.escape(host)}", text)]
    assert not named


def test_pages_load_nothing_from_elsewhere():
    remote = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""")
    pages = [name for name in tracked() if name.endswith((".html", ".css", ".js", ".jinja", ".svg"))]
    assert not [name for name in pages if remote.search((ROOT / name).read_text(encoding="utf-8"))]


def test_import_contracts_hold():
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [lint, "--config", str(ROOT / ".importlinter"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
