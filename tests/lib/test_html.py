"""The pages that tests look at: in one line, with every space that a person would see."""

import pytest

from tests.html import tight


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("<div>\n  <p>\n    one\n    two\n  </p>\n</div>\n", "<div><p>one two</p></div>"),
        ('<input\n  type="text"\n  name="a"\n>', '<input type="text" name="a">'),
        ('<td\n  class="\n    a b\n  "\n  title="a\n b"\n>', '<td class="a b" title="a\n b">'),
        ("a <b> c</b>, <i>d</i>\n<i>e</i>", "a <b> c</b>, <i>d</i> <i>e</i>"),
        ("<button>\n  save\n</button> <a>back</a>", "<button>save</button> <a>back</a>"),
        ("<p> <textarea>\n a  b</textarea> </p>", "<p><textarea>\n a  b</textarea></p>"),
        ("<td>12\u202f500\u00a0₽ </td>", "<td>12\u202f500\u00a0₽</td>"),
        ('<a href="?a=1&b=>">x</a>', '<a href="?a=1&b=>">x</a>'),
    ],
)
def test_only_space_that_is_not_shown_goes(page: str, line: str) -> None:
    assert tight(page) == line
