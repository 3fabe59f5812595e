"""Tables, claims, figures and pages made again from the records, and compared."""

import csv
import io
import runpy
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from pathlib import Path

from maspo.audit.finding import Finding, made_again
from maspo.audit.tree import PROJECT, Tree
from maspo.errors import MaspoError
from maspo.reporting.files import study_files, suite_files
from maspo.reporting.outputs import CLAIMS, suite_figures, suite_pages
from maspo.reporting.suite import Suite, load_suite_data

SHOWN = 5  # cells of one file; the rest is counted


def suite_data(tree: Tree, suite: str) -> Suite:
    """Load a suite as it was reported: its commands name the folder that it was made in."""
    made_in = tree.manifests[f"{suite}/claims_manifest.json"]["experiment"]["results"]
    return load_suite_data(replace(tree.suites[suite], results=made_in), tree.results)


def check_tables(tree: Tree) -> Iterator[Finding]:
    """Make every table, interval and claim again and compare it cell by cell."""
    for suite in tree.suites:
        try:
            data = suite_data(tree, suite)
            texts = {f"tables/{n}": t for s in data.studies for n, t in study_files(s).items()}
            texts |= suite_files(data)
        except MaspoError as error:
            yield Finding("tables", suite, "results from which tables can be made", str(error))
            continue
        for name, text in texts.items():
            path = tree.layout.suite(suite) / name
            found = path.read_bytes() if path.is_file() else b""
            check = "claims" if name in CLAIMS else "tables"
            for finding in differences(check, tree.name(path), text, found):
                yield made_again(tree.other_version, finding)


def differences(check: str, name: str, expected: str, found: bytes) -> Iterator[Finding]:
    """Yield the first differing cells of a CSV file, or lines of any other, if bytes differ."""
    if expected.encode() == found:
        return
    places = list(cells(name, expected, found.decode(errors="backslashreplace")))
    if not places:  # quotes or ends of lines
        yield Finding(check, name, "the bytes that are made again", "other bytes of equal cells")
    for place, wanted, had in places[:SHOWN]:
        yield Finding(check, name, f"{wanted!r} at {place}", repr(had))
    if len(places) > SHOWN:
        yield Finding(check, name, f"{len(places)} cells or lines as made again", "other ones")


def cells(name: str, expected: str, found: str) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield (place, expected, found) of every cell or line that differs."""
    if not name.endswith(".csv"):
        lines = zip_longest(expected.split("\n"), found.split("\n"))
        yield from ((f"line {i}", a, b) for i, (a, b) in enumerate(lines, 1) if a != b)
        return
    rows = [list(csv.reader(io.StringIO(text, newline=""))) for text in (expected, found)]
    header = rows[0][0]
    for i, (wanted, had) in enumerate(zip_longest(*rows, fillvalue=[]), 1):
        for j, (a, b) in enumerate(zip_longest(wanted, had)):
            if a != b:
                column = header[j] if j < len(header) else j
                yield f"line {i} ({' '.join(wanted[:1])}), column {column}", a, b


def check_figures(tree: Tree) -> Iterator[Finding]:
    """Draw every figure and page again from the tables, and compare the bytes.

    A suite whose figures were not drawn yet has no folder of them.
    """
    once = cache(draw)  # what reads no table is the same in all suites
    for suite, experiment in tree.suites.items():
        folder, tables = tree.layout.suite(suite), tree.layout.tables(suite)
        studies = [name for of, name in tree.studies if of == suite]
        drawn = suite_figures(experiment, studies) if (folder / "figures").is_dir() else []
        for figure in (folder / "figures" / name for name in drawn):
            script = PROJECT / "figures" / f"{figure.name}.py"
            arguments = [] if figure.name == "trust_regions" else ["--tables", str(tables)]
            if figure.parent.name != "figures":
                arguments += ["--study", figure.parent.name]
            try:
                again = once(script, *arguments)
            except SystemExit as error:
                yield Finding("figures", tree.name(figure), "what can be drawn", str(error))
                continue
            for name, content in again.items():
                yield from same_bytes(tree, figure.with_name(name), content)
        pages = suite_pages(studies) if (folder / "pages").is_dir() else []
        for path in (folder / "pages" / f"{name}.html" for name in pages):
            places = [folder / f"{path.stem}.md", tables / f"{path.stem}.md"]
            table = next((place for place in places if place.is_file()), None)
            if table is None:
                continue  # the check of the inventory names it
            with tempfile.TemporaryDirectory() as temporary:
                page = Path(temporary) / path.name
                run(PROJECT / "workflow" / "report" / "page.py", str(table), str(page))
                yield from same_bytes(tree, path, page.read_bytes())


def draw(script: Path, *arguments: str) -> dict[str, bytes]:
    """Return the files of a figure by name.

    Raises:
        SystemExit: the script ended with an error.
    """
    with tempfile.TemporaryDirectory() as temporary:
        try:
            run(script, *arguments, "--output", temporary)
        except SystemExit as error:
            if error.code:
                raise
        return {path.name: path.read_bytes() for path in sorted(Path(temporary).iterdir())}


def run(script: Path, *arguments: str) -> None:
    """Run a script in this process, which has its libraries loaded already."""
    before, sys.argv = (sys.argv, sys.path[:]), [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = before


def same_bytes(tree: Tree, path: Path, again: bytes) -> Iterator[Finding]:
    """Compare a drawn file with the one in the results."""
    if not path.is_file() or again != path.read_bytes():
        wanted = "what its tables give when drawn again"
        yield made_again(tree.other_version, Finding("figures", tree.name(path), wanted, "else"))
