"""Lists: cursors that cannot be abused, files in which nothing acts."""

from central.web.lists import as_file


def test_a_cell_that_looks_like_a_formula_is_only_text() -> None:
    answer = as_file("x", ("a",), [["=1+1"], ["@x"], ["-5"], [-5], ["plain"], [None]])
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.decode("utf-8-sig").splitlines() == ["a", "'=1+1", "'@x", "'-5", "-5", "plain", '""']
