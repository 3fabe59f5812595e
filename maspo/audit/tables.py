"""Tables, claims, figures and pages made again from the records, and compared."""

import csv
import io
import runpy
import sys
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from maspo.audit.finding import Finding
from maspo.audit.tree import PROJECT, Tree
from maspo.errors import MaspoError
from maspo.files import files_below
from maspo.reporting.files import study_files, suite_files
from maspo.reporting.results import Results
from maspo.reporting.suite import load_suite_data

SHOWN = 5  # cells of one file; the rest is counted
CLAIMS = ("claims.json", "claims.md")


def check_tables(tree: Tree) -> Iterator[Finding]:
    """Make every table, interval and claim again and compare it cell by cell."""
    for suite, experiment in tree.suites.items():
        try:
            data = load_suite_data(experiment, Results(tree.layout))
            texts = {f"tables/{n}": t for s in data.studies for n, t in study_files(s).items()}
            texts |= suite_files(data)
        except MaspoError as error:
            yield Finding("tables", suite, "results from which tables can be made", str(error))
            continue
        for name, text in texts.items():
            path = tree.layout.suite(suite) / name
            found = path.read_text(encoding="utf-8") if path.is_file() else ""
            check = "claims" if name in CLAIMS else "tables"
            yield from differences(check, tree.name(path), text, found)


def differences(check: str, name: str, expected: str, found: str) -> Iterator[Finding]:
    """Yield the first differing cells of a CSV file, or lines of any other."""
    if expected == found:
        return
    places = list(cells(name, expected, found))
    for place, wanted, had in places[:SHOWN]:
        yield Finding(check, name, f"{wanted!r} at {place}", repr(had))
    if len(places) > SHOWN:
        yield Finding(check, name, f"{len(places)} cells or lines as made again", "other ones")


def cells(name: str, expected: str, found: str) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield (place, expected, found) of every cell or line that differs."""
    if not name.endswith(".csv"):
        lines = zip_longest(expected.splitlines(), found.splitlines())
        yield from ((f"line {i}", a, b) for i, (a, b) in enumerate(lines, 1) if a != b)
        return
    rows = [list(csv.reader(io.StringIO(text))) for text in (expected, found)]
    header = rows[0][0]
    for i, (wanted, had) in enumerate(zip_longest(*rows, fillvalue=[]), 1):
        for j, (a, b) in enumerate(zip_longest(wanted, had)):
            if a != b:
                column = header[j] if j < len(header) else j
                yield f"line {i} ({' '.join(wanted[:1])}), column {column}", a, b


def check_figures(tree: Tree) -> Iterator[Finding]:
    """Draw every figure and page again from the tables, and compare the bytes."""
    for suite in tree.suites:
        folder, tables = tree.layout.suite(suite), tree.layout.tables(suite)
        for figure in sorted({path.with_suffix("") for path in files_below(folder / "figures")}):
            script = PROJECT / "figures" / f"{figure.name}.py"
            if not script.is_file():
                yield Finding(
                    "figures", tree.name(figure), f"figures/{script.name}, which draws it", "none"
                )
                continue
            arguments = [] if figure.name == "trust_regions" else ["--tables", str(tables)]
            if figure.parent.name != "figures":
                arguments += ["--study", figure.parent.name]
            with tempfile.TemporaryDirectory() as temporary:
                try:
                    run(script, *arguments, "--output", temporary)
                except SystemExit as error:
                    if error.code:
                        yield Finding("figures", tree.name(figure), "what can be drawn", str(error))
                        continue
                for again in sorted(Path(temporary).iterdir()):
                    yield from same_bytes(tree, figure.with_name(again.name), again)
        for path in sorted((folder / "pages").glob("*.html")):
            places = [folder / f"{path.stem}.md", tables / f"{path.stem}.md"]
            table = next((place for place in places if place.is_file()), None)
            if table is None:
                yield Finding("figures", tree.name(path), "the table of this page", "none")
                continue
            with tempfile.TemporaryDirectory() as temporary:
                again = Path(temporary) / path.name
                run(PROJECT / "workflow" / "report" / "page.py", str(table), str(again))
                yield from same_bytes(tree, path, again)


def run(script: Path, *arguments: str) -> None:
    """Run a script in this process, which has its libraries loaded already."""
    before, sys.argv = (sys.argv, sys.path[:]), [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = before


def same_bytes(tree: Tree, path: Path, again: Path) -> Iterator[Finding]:
    """Compare a drawn file with the one in the results."""
    if not path.is_file() or again.read_bytes() != path.read_bytes():
        yield Finding("figures", tree.name(path), "what its tables give when drawn again", "else")
