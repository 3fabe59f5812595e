"""Decontamination: what counts as the same text, and how much two texts share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.tasks.decontaminate import (
    canonical,
    contaminated_ids,
    find_matches,
    fold,
    markdown_report,
    matches_table,
    ngrams,
    summary_table,
    words,
)

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=30).map(" ".join)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is $7$?", "what  is 7?"),
        ("\\left(1\\right)", "(1)"),
        ("\\dfrac{1}{2}", "\\frac{1}{2}"),
        ("$a\\, b$", "$ab$"),
        ("\uff11 + \uff11", "1+1"),
    ],
)
def test_layout_does_not_make_a_text_another(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Find $3+7$.", "Find $3-7$."),
        ("Find $x^2$.", "Find $x_2$."),
        ("\\leftarrow", "arrow"),
        ("\\frac{1}{2}", "\\frac{2}{1}"),
    ],
)
def test_signs_do_make_a_text_another(one, other):
    assert canonical(one) != canonical(other)


def test_words_are_letters_and_numbers():
    assert words("Find $\\dfrac{m}{n}$, where $m+n_2=10$!") == [
        *("find", "frac", "m", "n", "where", "m", "n", "2", "10")
    ]


@given(st.text())
def test_words_of_words_are_the_same_words(text):
    assert words(" ".join(words(text))) == words(text)
    assert words(text.swapcase()) == words(text) or fold(text) != fold(text.swapcase())
    assert canonical(f"  {text}\n") == canonical(text)


@given(WORDS, st.integers(1, 5))
def test_ngrams_are_runs_of_words(text, n):
    tokens = text.split()
    grams = ngrams(text, n)
    assert len(grams) <= max(len(tokens) - n + 1, 0)
    assert all(len(gram.split()) == n and f" {gram} " in f" {text} " for gram in grams)
    assert bool(grams) == (len(tokens) >= n)


def by_pairs(training, benchmarks, n):
    """Compare every pair, the slow and plain way."""
    for training_id, text in training.items():
        for name, problems in benchmarks.items():
            for key, other in problems.items():
                grams = ngrams(other, n)
                shared = len(grams & ngrams(text, n))
                same = canonical(text) == canonical(other)
                if shared or same:
                    share = shared / len(grams) if grams else 0.0
                    yield training_id, name, key, same, shared, share


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6), st.integers(1, 4))
def test_the_index_finds_what_all_pairs_find(texts, others, n):
    training = {f"t{i}": text for i, text in enumerate(texts)}
    half = len(others) // 2
    benchmarks = {
        "one": {f"b{i}": text for i, text in enumerate(others[:half])},
        "two": {f"b{i}": text for i, text in enumerate(others[half:])},
    }
    found = [
        (m.training_id, m.benchmark, m.benchmark_id, m.exact, m.shared_ngrams, m.share)
        for m in find_matches(training, benchmarks, n, 0.5)
    ]
    assert sorted(found) == sorted(by_pairs(training, benchmarks, n))


def test_contamination_is_an_exact_match_or_a_large_share():
    problem = " ".join(f"w{i}" for i in range(20))  # eight 13-grams
    training = {
        "copy": problem.upper(),
        "longer": f"{problem} and then give the sum of all digits",
        "half": " ".join(f"w{i}" for i in range(16)),  # four of the eight
        "phrase": " ".join(f"w{i}" for i in range(13)),  # one
        "short copy": "What is $1+1$?",
        "other": "nothing in common with any of them at all here today or ever again",
    }
    benchmarks = {"big": {"p": problem}, "small": {"q": "what is 1 + 1 ?"}}
    matches = find_matches(training, benchmarks, 13, 0.5)
    assert {m.training_id: (m.exact, m.shared_ngrams, m.share) for m in matches} == {
        "copy": (True, 8, 1.0),
        "longer": (False, 8, 1.0),
        "half": (False, 4, 0.5),
        "phrase": (False, 1, 0.125),
        "short copy": (True, 0, 0.0),
    }
    assert contaminated_ids(matches) == {"copy", "longer", "half", "short copy"}
    summary = summary_table(matches, {"big": 1, "small": 1, "none": 3})
    assert summary.to_dict("records") == [
        dict(zip(summary.columns, row, strict=True))
        for row in [("big", 1, 1, 4, 3, 1), ("small", 1, 1, 0, 1, 1), ("none", 3, 0, 0, 0, 0)]
    ]
    names = ["benchmark", "problems", "exact", "ngram", "contaminated", "affected"]
    assert list(summary.columns) == names
    table = matches_table(matches)
    assert list(table["training_id"]) == ["copy", "short copy", "longer", "half", "phrase"]
    page = markdown_report(summary, 6, 13, 0.5, excluded=True)
    assert "| big | 1 | 1 | 4 | 3 | 1 |" in page
    assert "excluded from" in page


def test_no_match_is_an_empty_table_with_its_columns():
    table = matches_table(find_matches({"a": "x"}, {"b": {"c": "y"}}, 13, 0.5))
    assert len(table) == 0
    assert list(table.columns)[:3] == ["training_id", "benchmark", "benchmark_id"]
