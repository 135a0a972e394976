"""What the documents name is there: paths, settings, commands, and the words that pages really show."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import msgspec
import pytest

from daftar.__main__ import main
from edge.settings import PrinterSettings, Settings, TerminalSettings, load_settings
from shared.display import STATUSES
from shared.service_words import SERVICE_STATUSES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
ROOMS = ("shared", "sync", "firmware_profiles", "edge", "central", "daftar", "tests", "docs", "requirements", "ansible")
NAMED_TEST = re.compile(r"`(tests/[\w./-]+\.py)::(\w+)`")
LINKED_TEST = re.compile(r"\[`(\w+)`\]\((?:\.\./)+(tests/[\w./-]+\.py)\)")
NAMED_PATH = re.compile(rf"`((?:{'|'.join(ROOMS)})/[\w./-]+?)/?`")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def page_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", read(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_somewhere(page):
    for target in LINK.findall(read(page)):
        if "://" in target:
            continue
        name, _, anchor = unquote(target).partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(there), f"{target} names no heading"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_path_in_code_marks_is_there(page):
    assert not [name for name in NAMED_PATH.findall(read(page)) if not (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_test_that_is_named_as_proof_is_there(page):
    linked = [(path, name) for name, path in LINKED_TEST.findall(read(page))]
    for path, name in [*NAMED_TEST.findall(read(page)), *linked]:
        # A state machine is a test under the name that it is given last.
        made = rf"^(async )?def {name}\(|^(\w+, )*{name}(, \w+)* = .*\bTestCase\)?$"
        assert re.search(made, read(ROOT / path), flags=re.MULTILINE), f"{path}::{name}"


def test_each_complaint_has_its_number_and_a_test_or_says_that_it_is_not_held():
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", read(DOCS / "complaints.md"), flags=re.MULTILINE)
    assert [int(number) for number, *_ in rows] == [*range(1, len(rows) + 1)]
    assert len(rows) > 48, "those told of elsewhere, and those found here"
    assert not [number for number, _, here, tests in rows if not LINKED_TEST.search(tests) and "**Not" not in here]


def test_the_architecture_names_each_room_of_the_box_and_of_central():
    text = read(DOCS / "architecture.md")
    rooms = [
        f"{side}/{room.name}"
        for side in ("edge", "central")
        for room in (ROOT / side).iterdir()
        if (room / "__init__.py").exists()
    ]
    assert not [room for room in rooms if room not in text]


def test_the_index_leads_to_every_page():
    index = read(DOCS / "README.md")
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in LINK.findall(index)}
    unlinked = [page_id(page) for page in DOCS.rglob("*.md") if not ({page, page.parent} & linked)]
    assert unlinked == ["docs/README.md"]


def test_the_index_of_decisions_names_each_by_its_title():
    index = read(DOCS / "adr/README.md")
    for page in (DOCS / "adr").glob("0*.md"):
        number, _, title = read(page).partition("\n")[0].removeprefix("# ").partition(". ")
        assert f"- [{number}]({page.name}) {title}\n" in index, page.name


# --- settings ---


def setting_names() -> list[str]:
    own = [field.name for field in msgspec.structs.fields(Settings) if field.name not in ("terminals", "printer")]
    of_terminal = [f"terminals.{field.name}" for field in msgspec.structs.fields(TerminalSettings)]
    return [*own, *of_terminal, *(f"printer.{field.name}" for field in msgspec.structs.fields(PrinterSettings))]


def test_the_technician_s_table_has_every_key_of_a_box_and_no_other():
    table = read(DOCS / "technician.md").partition("Every key:")[2].partition("A profile's name")[0]
    first_cells = re.findall(r"^\|([^|]*)\|", table, flags=re.MULTILINE)
    named = [name for cell in first_cells for name in re.findall(r"`([\w.]+)`", cell)]
    assert sorted(named) == sorted(setting_names())


def test_the_defaults_in_the_technician_s_table_are_the_code_s():
    text = read(DOCS / "technician.md")
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            assert f"| `{field.name}` | {field.default} |" in text
    for name, port in (("printer.port", 9100), ("terminals.name", "`terminal-1`")):
        assert f"| `{name}` | {port} |" in text


def test_the_technician_s_example_is_a_settings_file(tmp_path):
    example = read(DOCS / "technician.md").partition("The short form:")[2].partition("Every key:")[0]
    toml = "\n".join(line.removeprefix("    ") for line in example.splitlines())
    (tmp_path / "box.toml").write_text(toml, encoding="utf-8")
    settings = load_settings(tmp_path)
    named = [("terminals", terminal.profile) for terminal in settings.terminals]
    for kind, profile in (*named, ("printers", settings.printer.profile)):
        assert (ROOT / "firmware_profiles" / kind / f"{profile}.toml").exists()


# --- commands ---


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and every one below it, under the words that are typed."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for one in command.list_commands(context):
            below = command.get_command(context, one)
            assert below is not None
            yield from commands(below, f"{name} {one}")


COMMANDS = dict(commands(main, "daftar"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_says_what_it_is_for(name):
    command = COMMANDS[name]
    assert command.help
    assert command.help.rstrip().endswith(".")
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert not [one.name for one in options if not one.help]


def told_commands(text: str) -> Iterator[str]:
    """Yield what documents say after `daftar`, as typed, over broken lines."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in re.findall(r"(?:^|[\s/`])(daftar (?:edge|central|journal|demo)\b[^\n`;]*)", joined):
        yield line.partition("#")[0].partition(" > ")[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_commands_that_documents_tell_are_there_with_their_options(page):
    for told in told_commands(read(page)):
        words = told.split()
        count = next(n for n in range(len(words), 0, -1) if " ".join(words[:n]) in COMMANDS)
        command = COMMANDS[" ".join(words[:count])]
        rest = words[count:]
        if rest and rest[0][0] not in "-…":
            assert not isinstance(command, click.Group), f"{told}: no such command"
        known = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}
        assert set(re.findall(r"(?<=\s)--[a-z-]+", told)) <= known | {"--help"}, told


# --- words ---


def shown_texts() -> list[str]:
    """Every Persian text of the box's pages and of the built-in catalogue, with placeholders taken out."""
    texts = [status.fa for status in (*STATUSES.values(), *SERVICE_STATUSES.values())]
    for path in [*(ROOT / "edge" / "web").glob("texts*.toml"), *(ROOT / "shared" / "services").glob("*.toml")]:
        texts += re.findall(r'fa = "([^"]+)"', read(path))
    return [re.sub(r"\{\w+\}", "…", text) for text in texts]


NOT_ON_A_PAGE = {"گیومه", "رونوشت"}
"""Words between quotation marks that are no quotation of a page (a copy's mark stands on paper)."""


def test_what_the_operator_s_guide_quotes_is_what_the_pages_say():
    texts = shown_texts()
    quoted = set(re.findall(r"«([^»]+)»", read(DOCS / "operator.fa.md"))) - NOT_ON_A_PAGE
    unknown = [words for words in quoted if not any(words in text for text in texts)]
    assert not unknown


def test_the_operator_s_guide_explains_every_status_that_this_release_can_show():
    text = read(DOCS / "operator.fa.md")
    later = {"reversing", "reversal_in_doubt", "reversed", "stated_charged", "stated_not_charged"}
    missing = [status.fa for key, status in STATUSES.items() if key not in later and f"«{status.fa}»" not in text]
    assert not missing


def test_every_row_of_the_guide_has_its_place():
    rows = re.findall(r"^\| A(\d{3}) \|", read(DOCS / "guide-rows.md"), flags=re.MULTILINE)
    assert sorted(map(int, rows)) == list(range(17, 166))
