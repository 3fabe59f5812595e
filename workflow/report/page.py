"""Turn a Markdown table into a page, because a report shows HTML and only offers Markdown.

python workflow/report/page.py TABLE.md PAGE.html
"""

import sys
from pathlib import Path

from markdown_it import MarkdownIt

STYLE = """
body { font: 15px/1.5 sans-serif; margin: 2em; }
table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid; }
th, td { padding: 0.2em 0.8em; white-space: nowrap; }
thead { border-bottom: 1px solid; }
"""


def page(markdown: str) -> str:
    """Return a page of its own for Markdown with tables."""
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    head = f'<meta charset="utf-8"><title>MASPO</title><style>{STYLE}</style>'
    return f"<!DOCTYPE html>\n<html lang=en><head>{head}</head>\n<body>\n{body}</body></html>\n"


def main(table: Path, output: Path) -> None:
    """Write the page of one table."""
    output.write_text(page(table.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
