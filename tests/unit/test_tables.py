"""The results table: ranks, percentages and marks of known scores."""

import pandas as pd
import pytest

from maspo.layout import Layout
from maspo.reporting.scores import AVERAGE, mean_scores, run_scores
from maspo.reporting.tables import latex_table, markdown_table


def scores(rows):
    """Return run scores from (variant, seed, {benchmark: (avg, pass)})."""
    return pd.DataFrame(
        [
            {
                "variant": variant,
                "label": variant.upper(),
                "seed": seed,
                "benchmark": benchmark,
                "avg_at_k": avg,
                "pass_at_k": passed,
                "best_at_k": passed,
            }
            for variant, seed, cells in rows
            for benchmark, (avg, passed) in cells.items()
        ]
    )


@pytest.fixture
def means():
    return mean_scores(
        scores(
            [
                ("base", 0, {"chain2": (0.9, 1.0), AVERAGE: (0.9, 1.0)}),
                ("grpo", 1, {"chain2": (0.5, 0.8), AVERAGE: (0.50, 0.8)}),
                ("grpo", 2, {"chain2": (0.6, 0.9), AVERAGE: (0.60, 0.9)}),
                ("sapo", 1, {"chain2": (0.6, 0.9), AVERAGE: (0.70, 0.9)}),
                ("sapo", 2, {"chain2": (0.7, 0.9), AVERAGE: (0.70, 0.9)}),
                ("maspo", 1, {"chain2": (0.65, 0.7), AVERAGE: (0.55, 0.7)}),
                ("maspo", 2, {"chain2": (0.65, 0.7), AVERAGE: (0.55, 0.7)}),
            ]
        )
    )


def test_means_and_deviations_over_seeds(means):
    row = means.set_index(["variant", "benchmark"]).loc[("grpo", AVERAGE)]
    assert row.avg_at_k == pytest.approx(0.55)
    assert row.avg_at_k_std == pytest.approx(0.1 / 2**0.5)
    assert row.seeds == 2


def test_markdown_marks_best_and_second_and_never_the_base(means):
    lines = markdown_table(means, 32).splitlines()
    assert lines[0] == "| Method | chain2 A@32 / P@32 | average A@32 / P@32 |"
    assert lines[2] == "| BASE | 90.0 / 100.0 | 90.0 / 100.0 |"
    assert lines[3] == "| GRPO | <u>55.0</u> / <u>85.0</u> | <u>55.0</u> ± 7.1 / <u>85.0</u> |"
    assert lines[4] == "| SAPO | **65.0** / **90.0** | **70.0** ± 0.0 / **90.0** |"
    assert lines[5] == "| MASPO | **65.0** / 70.0 | <u>55.0</u> ± 0.0 / 70.0 |"


def test_latex_has_the_same_cells(means):
    text = latex_table(means, 32)
    assert r"SAPO & \textbf{65.0} / \textbf{90.0} & \textbf{70.0} $\pm$ 0.0" in text
    assert r"\toprule" in text
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count("&") for line in body} == {2}
    assert text.index("BASE") < text.index(r"\midrule", text.index("BASE")) < text.index("GRPO")


def test_run_scores_come_from_records_and_average_benchmarks_equally(tmp_path):
    import pyarrow as pa

    from maspo.evaluation.records import SCHEMA, write_records

    rows = [
        {
            "benchmark": b,
            "problem": p,
            "sample": s,
            "seed": 0,
            "text": "",
            "tokens": 2,
            "answer": "1",
            "gold": "1",
            "verdict": v,
        }
        for b, p, verdicts in (
            ("a", "1", "cc"),
            ("b", "1", "cw"),
            ("b", "2", "ww"),
            ("b", "3", "ww"),
        )
        for s, v in enumerate({"c": "correct", "w": "wrong"}[letter] for letter in verdicts)
    ]
    layout = Layout(tmp_path)
    path = layout.evaluation("grpo", 1) / "records.parquet"
    write_records(path, pa.Table.from_pylist(rows, schema=SCHEMA))
    table = run_scores(layout, [("grpo", 1)]).set_index("benchmark")
    assert table.avg_at_k["a"] == 1
    assert table.avg_at_k["b"] == pytest.approx(1 / 6)
    assert table.avg_at_k[AVERAGE] == pytest.approx((1 + 1 / 6) / 2)
    assert table.problems[AVERAGE] == 4
