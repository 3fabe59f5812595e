"""Texts that a model, a data set or a machine wrote are shown, and do nothing."""

import csv as csv_module
import io
import re
import runpy
from html.parser import HTMLParser

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from maspo.inert import code, csv, fenced, in_latex, in_markdown
from maspo.reporting.format import Markup, latex, markdown
from maspo.tasks.decontaminate import markdown_report
from project import ROOT

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp; <!-- ",
    "![x](http://example.org/x.png)",
    "[click](javascript:alert(1))",
    "[a][b] [b]: http://example.org",
    "a | b | c",
    "**bold** __bold__ _i_ *i* ~~gone~~ `code` $x$",
    r"\| \*x\* \\",
    "one\n\n# two\n\n| a |\n|---|\n",
    "one\r\ttwo\u2028three\x1b[2J\u202e",
    "```\n</code><script>",
    "<https://example.org>",
    "snake_case_name",
)
page = runpy.run_path(str(ROOT / "workflow" / "report" / "page.py"))["page"]


class Reader(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def shown(text):
    """Return a text as one line, as readers must see it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_of_markdown_shows_what_it_holds(text):
    table = markdown([text, "B"], [[text, "1"], ["x", Markup("**2**")]])
    assert len(table.splitlines()) == 4
    read = Reader(MarkdownIt("commonmark", {"html": True}).enable("table").render(table))
    assert sorted({*read.tags}) == ["strong", "table", "tbody", "td", "th", "thead", "tr"]
    assert read.tags.count("td") == 4
    assert read.text.count(shown(text).strip()) == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_of_markdown_shows_what_it_holds(text):
    read = Reader(MarkdownIt("commonmark", {"html": True}).render(f"- x: {in_markdown(text)}"))
    assert set(read.tags) == {"ul", "li"}
    assert shown(text).strip() in read.text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_has_no_tags_but_those_of_tables(text):
    """Even where a text came into the Markdown as it is."""
    assert not {"script", "img", "a"} & set(
        Reader(page(f"{text}\n\n| a |\n|---|\n| {text} |\n")).tags[5:]
    )
    kept = Reader(page("| a |\n|---|\n| <u>1</u><br><sub>2</sub> |\n")).tags
    assert kept[-3:] == ["u", "br", "sub"]


@pytest.mark.parametrize("text", HOSTILE)
def test_code_holds_to_its_end(text):
    (inline,) = MarkdownIt("commonmark").parseInline(f"x {code(text)} y")
    assert [child.type for child in inline.children] == ["text", "code_inline", "text"]
    assert inline.children[1].content == shown(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_fence_holds_to_its_end(text):
    tokens = MarkdownIt("commonmark").parse(fenced(text))
    assert [token.type for token in tokens] == ["fence"]


@pytest.mark.parametrize(
    "text", [r"\input{/etc/passwd}", r"\write18{rm}", "^^5cinput", "a&b\\\\ \n\n $x$ %", "~#_{}"]
)
def test_latex_has_no_command_of_a_text(text):
    line = in_latex(text)
    assert "\n" not in line
    commands = re.findall(r"\\[a-zA-Z]+", line)
    assert set(commands) <= {r"\textbackslash", r"\textasciicircum", r"\textasciitilde"}
    bare = re.sub(r"\\[&%$#_{}]", "", re.sub(r"\\text[a-z]+\{\}", "", line))
    assert not set(bare) & set("\\&%$#_{}~^")
    assert len(latex([text], [[text]]).splitlines()) == 7


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ('="a""b",=c', """'="a""b",=c"""),
        ("\t=1", r"\t=1"),
        ("a\r=1", r"a\r=1"),
        ("\n=1", r"\n=1"),
        ("1=1", "1=1"),
        ("−1", "−1"),
    ],
)
def test_no_cell_of_csv_is_a_formula(text, cell):
    table = pd.DataFrame({text: [text, "maspo", None], "n": [-1.5, 2.0, float("nan")]})
    header, *rows = csv_module.reader(io.StringIO(csv(table), newline=""))
    assert header == [cell, "n"]
    assert rows == [[cell, "-1.5"], ["maspo", "2.0"], ["", ""]]


def test_names_of_benchmarks_are_inert_in_the_report_on_data():
    summary = pd.DataFrame({"benchmark": ["<b>|x"], "problems": [1]})
    read = Reader(
        MarkdownIt("commonmark").enable("table").render(markdown_report(summary, 1, 13, 0.5, True))
    )
    assert "b" not in read.tags
    assert "<b>|x" in read.text
