"""The page of completions, in a real browser: texts of models stay texts."""

import shutil
import subprocess
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from maspo.errors import ConfigError
from maspo.evaluation.records import SCHEMA, at_step, write_records
from maspo.policy import save_policy
from maspo.training.rollouts import SCHEMA as ROLLOUTS
from maspo.training.rollouts import write_rollouts
from maspo.viewer.page import write_page
from maspo.viewer.rows import pieces, rows_of

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(not BROWSER, reason="no chromium: apt-get install chromium")
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<!-- {{ }} ${title} $title \x1b[31mred\x07 \u202eturned\u2028 & \\boxed{1} \U0001f600"
)


class Page(HTMLParser):
    """The elements of a page as the browser left it, and the texts of some."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.styles, self.open = [], {}, [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "span" and "pre" in self.open:
            self.styles.append(dict(attributes).get("style"))

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        for tag in {"title", "li", "h3", "pre"} & set(self.open):
            self.texts[tag] = self.texts.get(tag, "") + data


def browse(page, address=""):
    """Return the page as Chromium shows it."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--virtual-time-budget=5000", f"{page.as_uri()}#{address}"]
    html = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "data-ready" in html
    return Page(html)


def records(texts, verdicts):
    count = len(texts)
    return pa.table(
        {
            **{"benchmark": ["terms2"] * count, "problem": [f"p{i}" for i in range(count)]},
            **{"sample": [0] * count, "seed": [2**62 + 1] * count, "text": texts},
            **{"tokens": [3] * count, "answer": ["1"] * count, "gold": ["1"] * count},
            "verdict": verdicts,
        },
        schema=SCHEMA,
    )


@pytest.fixture
def evaluation(tmp_path):
    """Return the page of an evaluation of two problems, with snapshots and a base policy."""
    folder = tmp_path / "evaluation" / "maspo" / "seed_1"
    base = tmp_path / "evaluation" / "base" / "seed_1"
    write_records(folder / "records.parquet", records([HOSTILE, "=2"], ["correct", "wrong"]))
    write_records(folder / "snapshots.parquet", at_step(records(["=7"], ["wrong"]), 5))
    write_records(base / "records.parquet", records(["was", "old"], ["wrong", "no_answer"]))
    page = tmp_path / "page.html"
    assert write_page(page, "<b>maspo</b>", rows_of(folder)) == 5
    return page


@needs_browser
def test_a_hostile_text_is_shown_and_does_nothing(evaluation):
    assert HOSTILE[:20] not in evaluation.read_text()
    shown = browse(evaluation, "problem=p0")
    assert shown.texts["title"] == "<b>maspo</b>"
    assert not {"img", "b"} & set(shown.tags)
    spelt = HOSTILE.replace("\x1b", r"\u001b").replace("\x07", r"\u0007")
    spelt = spelt.replace("\u202e", r"\u202e").replace("\u2028", r"\u2028")
    assert shown.texts["pre"] == "was" + spelt


@needs_browser
def test_base_stands_beside_the_trained_policy(evaluation):
    shown = browse(evaluation, "problem=p1")
    assert shown.texts["pre"] == "old=2"
    assert shown.texts["h3"] == "base, sample 0: no_answerend, sample 0: wrong"


@needs_browser
@pytest.mark.parametrize(
    ("address", "items"),
    [
        ("", ["end terms2 p0 #0: wrong → correct", "p1 #0: no_answer → wrong", "5 terms2 p0"]),
        ("verdict=correct", ["end terms2 p0 #0: wrong → correct"]),
        ("step=5", ["5 terms2 p0 #0: wrong → wrong"]),
        ("step=base", ["base terms2 p0 #0: wrong", "base terms2 p1 #0: no_answer"]),
        ("other=no_answer", ["end terms2 p1 #0: no_answer → wrong"]),
    ],
)
def test_filters(evaluation, address, items):
    shown = browse(evaluation, address)
    assert shown.tags.count("li") == len(items)
    assert all(item in shown.texts["li"] for item in items)


@needs_browser
def test_tokens_are_coloured_by_weight_or_by_ratio(tmp_path, tiny_policy):
    folder = tmp_path / "runs" / "maspo" / "seed_1"
    policy, tokenizer = tiny_policy
    save_policy(folder / "policy", policy, tokenizer)
    row = {
        **{"step": 3, "group": 2, "sample": 1, "seed": 7, "problem": "p", "prompt": "1+2?"},
        **{"text": "=3", "gold": "3", "verdict": "correct", "reward": 1.0, "advantage": 0.5},
        **{"tokens": tokenizer.encode("=3"), "old_log_prob": [-2.0, -1.0]},
        **{"log_prob": [-2.0, -0.3069], "weight": [0.0, 1.0]},
    }
    write_rollouts(folder / "rollouts.parquet", pa.Table.from_pylist([row], schema=ROLLOUTS))
    write_page(page := tmp_path / "page.html", "run", rows_of(folder))
    shown = browse(page, "row=0")
    assert shown.texts["pre"] == "1+2?=3"
    orange, blue = "background: rgba(230, 120, 20, {})", "background: rgba(40, 110, 210, {})"
    assert [s.rstrip(";") for s in shown.styles] == [orange.format(0.75), blue.format(0)]
    shown = browse(page, "row=0&colour=ratio")  # 1 and 2
    assert [s.rstrip(";") for s in shown.styles] == [blue.format(0), blue.format(0.75)]


def test_a_character_of_several_tokens_stands_with_the_last(tiny_policy):
    class Bytes:
        def decode(self, tokens, **_):
            return bytes(tokens).decode(errors="replace")

    assert pieces(Bytes(), [97, 0xF0, 0x9F, 0x98, 0x80, 98]) == ["a", "", "", "", "\U0001f600", "b"]
    assert pieces(Bytes(), [97, 0xF0]) == ["a", "\ufffd"]


def test_a_folder_without_completions_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"neither rollouts\.parquet nor records\.parquet"):
        rows_of(tmp_path)
