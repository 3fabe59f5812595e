"""The report, opened in headless Chromium: a reader finds the tables, the figures, the captions."""

import os
import re
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.xdist_group("checkout")]
BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
NEEDED = pytest.mark.skipif(
    BROWSER is None,
    reason="no Chromium: apt-get install -y --no-install-recommends chromium, or set CHROMIUM",
)


@pytest.fixture(scope="module")
def report(project):
    """Return the report of the smoke DAG."""
    project.snakemake("--report", "report.html")
    return project.folder / "report.html"


@pytest.fixture
def page(report):
    """Return the report as a browser shows it, without a network."""
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with api.sync_playwright() as playwright:
        # The sandbox of Chromium does not start for root, as in containers; the page is our own.
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(Path(report).as_uri())
        yield page
        browser.close()


def open_category(page, category, subcategory):
    """Click through the menu to a list of results; return its rows by their first label."""
    page.get_by_text("Results", exact=True).first.click()
    page.get_by_text(category, exact=True).click()
    page.locator("li, a").get_by_text(subcategory, exact=True).first.click()
    page.locator("tbody tr").first.wait_for()
    rows = page.locator("tbody tr").all()
    return {row.locator("td").first.inner_text().strip(): row for row in rows}


def show(page, row):
    """Click on the eye of a row and return the pane of the content."""
    row.locator("a, button").first.click()


@NEEDED
def test_the_report_shows_the_main_table(page, project):
    rows = open_category(page, "Tables", "smoke")
    assert "Results" in rows
    show(page, rows["Results"])
    table = page.frame_locator("iframe").locator("table").first
    table.wait_for()
    markdown = (project.results / "default" / "tables" / "smoke.md").read_text()
    (line,) = (line for line in markdown.splitlines() if line.startswith("| MASPO |"))
    assert table.locator("tr", has_text="MASPO").count() == 1
    cells = table.locator("tr", has_text="MASPO").locator("td").all_inner_texts()
    shown = re.sub(r"<br>", " ", line)
    shown = re.sub(r"</?\w+>|\*\*", "", shown).strip("|").split("|")
    assert [" ".join(cell.split()) for cell in cells] == [" ".join(cell.split()) for cell in shown]


@NEEDED
@pytest.mark.parametrize(
    ("subcategory", "figures"),
    [
        (
            "smoke",
            [
                *("Differences, paired", "Avg@k", "Pass@k and best@k"),
                *("Training dynamics", "Entropy against accuracy"),
                *("Sample efficiency", "Gradient use", "Facts gained and lost"),
                *("Entropy and accuracy on the way", "Ratios and what becomes of them"),
            ],
        ),
        ("all studies", ["Claims", "Trust regions"]),
    ],
)
def test_the_report_shows_every_figure(page, subcategory, figures):
    rows = open_category(page, "Figures", subcategory)
    assert set(rows) == set(figures)
    seen = set()
    for row in rows.values():
        show(page, row)
        image = page.locator("img").last
        page.wait_for_function(
            "seen => [...document.images].some("
            "i => i.naturalWidth > 300 && i.naturalHeight > 300 && !seen.includes(i.src.length))",
            arg=sorted(seen),
        )
        seen.add(len(image.get_attribute("src")))
    assert len(seen) == len(figures)


@NEEDED
def test_captions_name_the_study_and_the_scale(page):
    rows = open_category(page, "Figures", "smoke")
    rows["Training dynamics"].locator("a, button").last.click()
    page.get_by_text("The baseline and the method", exact=False).first.wait_for()
    assert "scale smoke" in page.inner_text("body")


def test_the_report_is_one_file_that_needs_no_other(report):
    text = report.read_text(encoding="utf-8")
    assert report.stat().st_size > 1_000_000
    assert 'src="http' not in text
    assert 'rel="stylesheet" href="http' not in text
