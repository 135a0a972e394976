import re
from html.parser import HTMLParser
from pathlib import Path

from edge.web.guide import GUIDE, _Reader, guide, guide_text
from tests.edge.web.conftest import Browser


class Nesting(HTMLParser):
    """Checks that what is opened is closed, one within another."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its signature
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(*lines: str) -> str:
    reader = _Reader()
    for line in (*lines, "", "## end"):
        reader.take(line)
    return "".join(reader.made).removesuffix('<h2 id="part-1">end</h2>')


def test_lists_stand_one_within_another_and_their_lines_go_on():
    made = read("1. one", "   more of it", "   - within", "     and more", "2. two", "", "after")
    assert made == ("<ol><li>one more of it<ul><li>within and more</li></ul></li><li>two</li></ol><p>after</p>")


def test_words_are_bold_keys_and_code_and_everything_else_is_text():
    assert read("**a** `b` <kbd>c</kbd> [d](e.md) <script>") == (
        "<p><strong>a</strong> <code>b</code> <kbd>c</kbd> d &lt;script&gt;</p>"
    )


def test_a_table_has_its_head():
    made = read("| a | b |", "|---|---|", "| c | |")
    assert '<th scope="col">a</th><th scope="col">b</th>' in made
    assert "<tr><td>c</td><td></td></tr>" in made


def test_the_whole_guide_is_there():
    made, chapters = guide()
    nesting = Nesting()
    nesting.feed(str(made))
    assert nesting.open == []
    assert [heading for _, heading in chapters] == re.findall(r"^## (.+)$", guide_text(), re.MULTILINE)
    assert not re.search(r"\*\*|^#|^\||]\(", str(made), re.MULTILINE), "nothing of the Markdown is left"
    for key in re.findall(r"<kbd>.</kbd>", guide_text()):
        assert key in made


def test_a_wheel_carries_the_guide_where_it_is_looked_for():
    pyproject = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    assert f'"docs/operator.fa.md" = "edge/web/{GUIDE}"' in pyproject


async def test_the_guide_is_reached_from_the_profile_and_leads_to_its_chapters(operator: Browser):
    assert (await operator.page("/profile")).all("a", href="/guide")
    page = await operator.page("/guide")
    _, chapters = guide()
    for anchor, heading in chapters:
        assert page.all("a", href=f"#{anchor}"), heading
        assert page.all("h2", id=anchor), heading
    assert "دوباره نکشید" in page.text
