"""One self-contained page: an index of all rows, and their contents in packed blocks."""

import base64
import gzip
import html
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from maspo.files import atomic

TEMPLATE = Path(__file__).with_name("page.html")
BLOCK = 500_000  # characters of content a block: unpacked in some milliseconds when it is shown
NAMED = ("step", "benchmark", "problem", "verdict")  # columns that the page filters by, as texts
Row = dict[str, Any]  # the columns `NAMED`, sample, perhaps group; and `content`, see page.html


def write_page(path: Path, title: str, rows: Iterable[Row]) -> int:
    """Write the page of some rows, atomically; return how many there are.

    Names and texts lie in gzipped JSON in base64: no text of a model can end its block.
    """
    before, _, after = (
        Template(part).substitute(title=html.escape(title))
        for part in TEMPLATE.read_text(encoding="utf-8").partition("<!-- data -->")
    )
    index = Index()
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(before)
        for number, block in enumerate(blocks(rows)):
            contents = [index.add(row, number, place) for place, row in enumerate(block)]
            file.write(script(f"block{number}", contents))
        file.write(script("index", index.as_dict()))
        file.write(after)
    return len(index.rows["block"])


@dataclass
class Index:
    """All of the rows but their content, in columns; of `NAMED` the numbers of their texts."""

    names: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in NAMED})
    rows: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    coloured: bool = False  # tokens have numbers

    def __post_init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {name: {} for name in NAMED}

    def as_dict(self) -> dict[str, Any]:
        """Return what the page reads."""
        return {"names": self.names, "rows": self.rows, "coloured": self.coloured}

    def add(self, row: Row, block: int, place: int) -> Any:
        """Enter a row and return its content."""
        content = row.pop("content")
        self.coloured = self.coloured or bool(content.get("weight"))
        for name, value in (row | {"block": block, "place": place}).items():
            if name in NAMED:
                known = self._numbers[name]
                if value not in known:
                    known[value] = len(known)
                    self.names[name].append(value)
                value = known[value]
            self.rows[name].append(value)
        return content


def blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in lists of about `BLOCK` characters of content."""
    block: list[Row] = []
    size = 0
    for row in rows:
        block.append(row)
        size += row.pop("size")
        if size > BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def script(name: str, value: Any) -> str:
    """Return an element that holds a value, the same bytes for the same value."""
    text = json.dumps(value, separators=(",", ":"))
    data = base64.b64encode(gzip.compress(text.encode(), 5, mtime=0)).decode()
    return f'<script id="{name}" type="text/plain">{data}</script>\n'
