"""The operators' guide, which is a document of the project, as a page of the box: it is read where the line is cut.

Only the Markdown that the guide uses is understood: headings, paragraphs, lists one within another, tables, bold words,
code, keys. Whatever else stands there is text.
"""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

GUIDE: Final = "guide.fa.md"
"""Its name in a wheel, beside this file."""
_IN_TREE: Final = Path("docs", "operator.fa.md")

_CHAPTER: Final = 2
"""The level of the headings that are chapters."""
_HEADING: Final = re.compile(r"(#{1,3}) (.+)")
_ITEM: Final = re.compile(r"( *)(?:([-*])|\d+\.) (.*)")
_RULE_OF_TABLE: Final = re.compile(r"[|\- ]+")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_INLINE: Final = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"`(.+?)`"), r"<code>\1</code>"),
    (re.compile(r"&lt;kbd&gt;(.+?)&lt;/kbd&gt;"), r"<kbd>\1</kbd>"),
)


def guide_text() -> str:
    """Return the guide as it was written."""
    packaged = files("edge.web").joinpath(GUIDE)
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return (Path(__file__).parents[2] / _IN_TREE).read_text("utf-8")


@cache
def guide() -> tuple[Markup, tuple[tuple[str, str], ...]]:
    """Return the guide's HTML without its title, and its chapters as (anchor, heading)."""
    reader = _Reader()
    for line in guide_text().splitlines():
        reader.take(line)
    reader.take("")
    return Markup("\n".join(reader.made)), tuple(reader.chapters)  # noqa: S704 - escaped piece by piece


def _inline(text: str) -> str:
    """Return a line's HTML. A link leads to a document that no box has: its words stay."""
    made = str(escape(_LINK.sub(r"\1", text)))
    for pattern, replacement in _INLINE:
        made = pattern.sub(replacement, made)
    return made


class _Reader:
    """Takes line after line; what belongs together is written once it is whole."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.chapters: list[tuple[str, str]] = []
        self._paragraph: list[str] = []
        self._rows: list[list[str]] = []
        self._lists: list[tuple[int, str]] = []
        """Open lists, the outermost first: how far they are indented, and their element."""

    def take(self, line: str) -> None:
        """Take a line; an empty one ends a paragraph."""
        heading, item = _HEADING.fullmatch(line), _ITEM.fullmatch(line)
        if line.startswith("|"):
            self._end_paragraph()
            self._row(line)
        elif heading is not None:
            self._end_all()
            self._head(len(heading[1]), heading[2])
        elif item is not None:
            self._end_paragraph()
            self._item(len(item[1]), "ul" if item[2] else "ol", item[3])
        elif not line.strip() or line.startswith(("<div", "</div")):
            self._end_paragraph()
            self._end_table()
        else:
            if not line.startswith(" "):
                self._end_lists_before(line)
            self._paragraph.append(line.strip())

    def _end_lists_before(self, line: str) -> None:
        """Close the lists when a paragraph of its own follows; a line that goes on stands right behind its item."""
        if self._lists and not self._paragraph and line:
            self._end_lists(0)

    def _head(self, level: int, words: str) -> None:
        if level == 1:
            return
        if level == _CHAPTER:
            self.chapters.append((f"part-{len(self.chapters) + 1}", words))
            self.made.append(f'<h2 id="{self.chapters[-1][0]}">{_inline(words)}</h2>')
        else:
            self.made.append(f"<h{level}>{_inline(words)}</h{level}>")

    def _item(self, indent: int, element: str, words: str) -> None:
        while self._lists and self._lists[-1][0] > indent:
            self._close_list()
        if not self._lists or self._lists[-1][0] < indent:
            self._lists.append((indent, element))
            self.made.append(f"<{element}>")
        else:
            self.made.append("</li>")
        self.made.append("<li>")
        self._paragraph = [words]

    def _close_list(self) -> None:
        _, element = self._lists.pop()
        self.made.append(f"</li></{element}>")

    def _end_lists(self, keep: int) -> None:
        while len(self._lists) > keep:
            self._close_list()

    def _row(self, line: str) -> None:
        if not _RULE_OF_TABLE.fullmatch(line):
            self._rows.append([cell.strip() for cell in line.strip("|").split("|")])

    def _end_table(self) -> None:
        if not self._rows:
            return
        self._end_lists(0)
        head, *rows = self._rows
        cells = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in head)
        self.made.append(
            f'<div class="table-wrap" tabindex="0"><table class="data"><thead><tr>{cells}</tr></thead><tbody>'
        )
        self.made += ["<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows]
        self.made.append("</tbody></table></div>")
        self._rows = []

    def _end_paragraph(self) -> None:
        if not self._paragraph:
            return
        words = _inline(" ".join(self._paragraph))
        self.made.append(words if self._lists else f"<p>{words}</p>")
        self._paragraph = []

    def _end_all(self) -> None:
        self._end_paragraph()
        self._end_table()
        self._end_lists(0)
