"""Turn a Markdown table into a page, because a report shows HTML and only offers Markdown.

python workflow/report/page.py TABLE.md PAGE.html
"""

import sys
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML

STYLE = """
body { font: 15px/1.5 sans-serif; margin: 2em; }
table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid; }
th, td { padding: 0.2em 0.8em; white-space: nowrap; }
thead { border-bottom: 1px solid; }
"""


TAGS = {"<br>", "<sub>", "</sub>", "<u>", "</u>"}  # what the tables are written with


class Renderer(RendererHTML):
    """Shows every other tag as text: no name in a table can bring a script or a picture."""

    def html_inline(self, tokens, idx, options, env):
        """Return an allowed tag as it is."""
        content = tokens[idx].content
        return content if content in TAGS else escapeHtml(content)

    def html_block(self, tokens, idx, options, env):
        """Return a block of HTML as text: no table has one."""
        return escapeHtml(tokens[idx].content)


def page(markdown: str) -> str:
    """Return a page of its own for Markdown with tables."""
    parser = MarkdownIt("commonmark", {"html": True}, renderer_cls=Renderer).enable("table")
    body = parser.disable(["image", "link", "autolink", "reference"]).render(markdown)
    head = f'<meta charset="utf-8"><title>MASPO</title><style>{STYLE}</style>'
    return f"<!DOCTYPE html>\n<html lang=en><head>{head}</head>\n<body>\n{body}</body></html>\n"


def main(table: Path, output: Path) -> None:
    """Write the page of one table."""
    output.write_text(page(table.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
