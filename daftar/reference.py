"""Write `docs/reference` from the tables of the code: who may what, errors, entries, states. Tests hold both together.

python -m daftar.reference          writes the files of the tree it is run from
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from edge.web import access
from shared import errors, events
from shared.acts import ACTS_TEXT
from shared.display import payment_status
from shared.error_texts import ERROR_TEXTS, MONEY_TEXTS
from shared.events import FEED_BODIES, JOURNAL_BODIES, Body
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, LATE, TRANSITIONS, PaymentState

FOLDER: Final = Path("docs") / "reference"
_MADE: Final = "<!-- Made by `python -m daftar.reference`. Change the tables in the code, not this page. -->\n"


def _cell(text: str) -> str:
    """Return the text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _row(*cells: str) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join([_row(*head), "|" + "---|" * len(head), *(_row(*row) for row in rows)]) + "\n"


def _sentences(*texts: str) -> str:
    return " ".join(text for text in texts if text)


def errors_page() -> str:
    """Return the page of all error codes, with what a person reads for each."""
    lines = [
        _MADE,
        "# Error codes\n",
        "A code is stable: programs may compare it. What a person reads is what happened, whether money moved, and",
        "what to do now. `{names}` are filled with the facts of the case.\n",
        # The classes of errors, as the module that defines them draws them.
        (errors.__doc__ or "").split("\n\n")[1] + "\n",
    ]
    area = ""
    rows: list[tuple[str, ...]] = []

    def flush() -> Iterator[str]:
        if rows:
            yield f"## {area}\n"
            yield _table(("code", "English", "فارسی"), rows)

    for code, text in sorted(ERROR_TEXTS.items()):
        if code.partition(".")[0] != area:
            lines += flush()
            area, rows = code.partition(".")[0], []
        money = MONEY_TEXTS[text.money]
        rows.append(
            (
                f"`{code}`",
                _sentences(text.en, money["en"], text.do_en),
                _sentences(text.fa, money["fa"], text.do_fa),
            )
        )
    lines += flush()
    return "\n".join(lines)


def _docstring_after(nodes: list[ast.stmt], place: int) -> str:
    """Return the text that stands below a member in the source, if any."""
    following = nodes[place + 1] if place + 1 < len(nodes) else None
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        return str(following.value.value)
    return ""


def _members(node: ast.ClassDef) -> list[tuple[str, ...]]:
    """Return (member, type, meaning) for each member of a struct's source."""
    found: list[tuple[str, ...]] = []
    for place, statement in enumerate(node.body):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        kind = ast.unparse(statement.annotation)
        if kind.startswith("ClassVar"):
            continue
        default = "" if statement.value is None else f" = {ast.unparse(statement.value)}"
        found.append((f"`{statement.target.id}`", f"`{kind}{default}`", _docstring_after(node.body, place)))
    return found


def _struct(name: str, title: str, nodes: dict[str, ast.ClassDef]) -> Iterator[str]:
    node = nodes[name]
    yield f"### {title}\n"
    yield f"{ast.get_docstring(node) or ''}\n"
    if members := _members(node):
        yield _table(("member", "type", "meaning"), members)


def entries_page() -> str:
    """Return the page of all entry types with the members of their bodies."""
    nodes: dict[str, ast.ClassDef] = {}
    for source in sorted(Path(events.__file__).parent.glob("*.py")):
        tree = ast.parse(source.read_text("utf-8"))
        nodes |= {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    lines = [
        _MADE,
        "# Entry types\n",
        "The envelope around them is described in [the journal format](../spec/journal.md). A member with a default",
        "may be missing in entries of older releases. A reader carries members and types it does not know.\n",
    ]
    logs: tuple[tuple[str, dict[str, type[Body]]], ...] = (
        ("Journal: what happened in an office, signed by its box", JOURNAL_BODIES),
        ("Feed: what central answers, signed by central", FEED_BODIES),
    )
    for title, bodies in logs:
        lines.append(f"## {title}\n")
        for kind, fact in bodies.items():
            lines += _struct(fact.__name__, f"`{kind}`", nodes)
    lines.append("## Parts of bodies\n")
    for name in nodes:
        part = getattr(events, name)
        if not issubclass(part, Body):
            lines += _struct(name, f"`{name}`", nodes)
    lines += [
        "### `Sealed`\n",
        "`{key_id, ciphertext}`: personal data sealed with HPKE (RFC 9180) to the office's data key of the month.\n",
    ]
    return "\n".join(lines)


def _money(state: PaymentState) -> str:
    if state is PaymentState.REVERSED:
        return "given back"
    if state in CHARGED:
        return "taken, as far as is known"
    return "not taken" if state in CERTAINLY_UNCHARGED | {PaymentState.REQUESTED} else "not known"


def payment_states_page() -> str:
    """Return the page of the payment table."""
    rows = [
        (
            f"`{state}`",
            payment_status(state).fa,
            payment_status(state).en,
            _money(state),
            "no" if state in CERTAINLY_UNCHARGED else "yes",
            ", ".join(
                f"`{to}`" + (" (late)" if to in _late_of(state) else "")
                for to in PaymentState
                if to in TRANSITIONS[state]
            ),
        )
        for state in PaymentState
    ]
    return "\n".join(
        [
            _MADE,
            "# Payment states\n",
            "A move that is not in the last column is refused by the code. *Holds* says whether the state keeps others",
            "from paying the same obligation. *Late* evidence of a charge is always taken, and opens a case.\n",
            _table(("state", "فارسی", "on a page", "the customer's money", "holds", "may become"), rows),
            "",
            *_drawing(),
        ]
    )


def _late_of(state: PaymentState) -> frozenset[PaymentState]:
    """Return where late evidence brings a payment from a state."""
    return frozenset({PaymentState.APPROVED}) if state in LATE else frozenset()


def _drawing() -> Iterator[str]:
    """Yield the table as a picture: ways of evidence; the late ones, and those of a person's word, by name."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> requested"
    for state in PaymentState:
        for to in PaymentState:
            if to in TRANSITIONS[state]:
                name = " : late evidence" if to in _late_of(state) else ""
                yield f"    {state} --> {to}" + (" : a supervisor's word" if to in _STATED else name)
    yield "```"
    yield ""


_STATED: Final = frozenset({PaymentState.OVERRIDDEN_CHARGED, PaymentState.OVERRIDDEN_NOT_CHARGED})
"""States that a payment comes into by a person's word alone."""


def access_page() -> str:
    """Return the page of who may ask for which address."""
    explained = (access.__doc__ or "").partition("anybody")
    lines = [
        _MADE,
        "# Who may do what at the box\n",
        "One test walks every route of the application with every kind of asker and compares with this table.\n",
        "```text",
        *(line.removeprefix("    ") for line in (explained[1] + explained[2]).rstrip().splitlines()),
        "```\n",
        "Acts are permitted to each person by a manager; a denial wins, and a manager may do everything:\n",
        "```text",
        ACTS_TEXT.rstrip(),
        "```\n",
    ]
    for title, table in (("Pages", access.PAGES), ("API", access.API)):
        rows = [(f"`{route.replace(' ', '` | `', 1)}`", words) for route, words in table.items()]
        lines += [f"## {title}\n", "| method | address | who |\n|---|---|---|"]
        lines += [f"| {address} | {words} |" for address, words in rows]
        lines.append("")
    return "\n".join(lines)


PAGES: Final = {
    "access.md": access_page,
    "errors.md": errors_page,
    "entries.md": entries_page,
    "payment-states.md": payment_states_page,
}


@click.command()
def write() -> None:
    """Write the pages of docs/reference from the tables of the code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        click.echo(f"{FOLDER / name}")


if __name__ == "__main__":
    write()
