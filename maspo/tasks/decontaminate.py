"""Which training problems are, or share long passages with, a benchmark problem.

Two tests: the same text but for case, spacing and layout; and word n-grams in common. Contest
problems share set phrases ("can be expressed in the form m/n where m and n are relatively prime
positive integers" is long enough for a 13-gram), so an n-gram in common is reported with its
share: the fraction of the benchmark problem's n-grams that the training problem has too.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from maspo.inert import in_markdown

LAYOUT = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|limits|quad|qquad)(?![a-zA-Z])|\\[,;:! ]"
)
FRACTION = re.compile(r"\\[dt]frac(?![a-zA-Z])")
WORD = re.compile(r"[^\W_]+")
SPACE = re.compile(r"[\s$]+")
MATCH_COLUMNS = (
    "training_id",
    "benchmark",
    "benchmark_id",
    "exact",
    "shared_ngrams",
    "share",
    "contaminated",
)


def fold(text: str) -> str:
    """Return the text in one case and one Unicode form, without LaTeX's layout commands."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return LAYOUT.sub(" ", FRACTION.sub(r"\\frac", text))


def canonical(text: str) -> str:
    """Return what two texts have in common if they differ in case, spacing and layout only."""
    return SPACE.sub("", fold(text))


def words(text: str) -> list[str]:
    """Return the words and numbers of a text; signs and punctuation are no words."""
    return WORD.findall(fold(text))


def ngrams(text: str, n: int) -> set[str]:
    """Return the distinct runs of `n` words; none if the text is shorter."""
    tokens = words(text)
    return {" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


@dataclass(frozen=True)
class Match:
    """A training problem and a benchmark problem with text in common."""

    training_id: str
    benchmark: str
    benchmark_id: str
    exact: bool
    shared_ngrams: int
    share: float  # of the benchmark problem's n-grams
    contaminated: bool


def find_matches(
    training: Mapping[str, str],
    benchmarks: Mapping[str, Mapping[str, str]],
    n: int,
    threshold: float,
) -> list[Match]:
    """Return every pair that is the same text or shares an n-gram.

    Args:
        training: bare problem by id.
        benchmarks: bare problem by id, by name of the benchmark.
        n: words in an n-gram.
        threshold: a match is contamination from this share on; an exact match always is.
    """
    keys = [(name, key) for name, problems in benchmarks.items() for key in problems]
    sizes: list[int] = []
    by_text: dict[str, list[int]] = defaultdict(list)
    by_ngram: dict[str, list[int]] = defaultdict(list)
    for index, (name, key) in enumerate(keys):
        text = benchmarks[name][key]
        grams = ngrams(text, n)
        sizes.append(len(grams))
        by_text[canonical(text)].append(index)
        for gram in grams:
            by_ngram[gram].append(index)
    matches = []
    for training_id, text in training.items():
        shared = Counter(i for gram in ngrams(text, n) for i in by_ngram.get(gram, ()))
        exact = set(by_text.get(canonical(text), ()))
        for i in sorted(exact | set(shared)):
            share = shared[i] / sizes[i] if sizes[i] else 0.0
            contaminated = i in exact or share >= threshold
            matches.append(Match(training_id, *keys[i], i in exact, shared[i], share, contaminated))
    return matches


def contaminated_ids(matches: Sequence[Match]) -> set[str]:
    """Return the ids of the training problems that count as contaminated."""
    return {match.training_id for match in matches if match.contaminated}


def matches_table(matches: Sequence[Match]) -> pd.DataFrame:
    """Return one row a match, the largest shares first."""
    table = pd.DataFrame([vars(match) for match in matches], columns=list(MATCH_COLUMNS))
    order = ["exact", "share", "training_id", "benchmark_id"]
    table = table.sort_values(order, ascending=[False, False, True, True], kind="stable")
    return table.round({"share": 4}).reset_index(drop=True)


def summary_table(matches: Sequence[Match], sizes: Mapping[str, int]) -> pd.DataFrame:
    """Return one row a benchmark; `sizes` are the numbers of its problems.

    `exact`, `ngram` and `contaminated` count training problems; `affected` counts the benchmark's
    own problems that a contaminated training problem matches.
    """
    rows = []
    for name, size in sizes.items():
        own = [match for match in matches if match.benchmark == name]
        rows.append(
            {
                "benchmark": name,
                "problems": size,
                "exact": len({m.training_id for m in own if m.exact}),
                "ngram": len({m.training_id for m in own if m.shared_ngrams}),
                "contaminated": len({m.training_id for m in own if m.contaminated}),
                "affected": len({m.benchmark_id for m in own if m.contaminated}),
            }
        )
    return pd.DataFrame(rows)


def markdown_report(
    summary: pd.DataFrame, training: int, n: int, threshold: float, excluded: bool
) -> str:
    """Return the summary as a Markdown page that says what its columns are."""
    heads = list(summary.columns)
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [
        f"| {' | '.join(in_markdown(str(cell)) for cell in row)} |"
        for row in summary.itertuples(index=False)
    ]
    return "\n".join(
        [
            "# Training problems that match a benchmark",
            "",
            f"{training:,} training problems. `exact`: the same text but for case, spacing and "
            f"layout. `ngram`: at least one run of {n} words in common. `contaminated`: exact, or "
            f"at least {threshold:.0%} of the benchmark problem's {n}-grams in common. "
            "`affected`: problems of the benchmark that a contaminated training problem matches.",
            "",
            *lines,
            "",
            "Contaminated problems are "
            + ("**excluded from** training." if excluded else "**kept in** training."),
            "Every match is listed in `decontamination_matches.csv`.",
            "",
        ]
    )
