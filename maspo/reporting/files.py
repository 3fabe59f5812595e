"""The result files of a study and of a suite, as texts by name."""

import json

from maspo.inert import csv
from maspo.reporting.claims import judge_claims
from maspo.reporting.claims_file import load_claims
from maspo.reporting.claims_text import claims_json, claims_latex, claims_markdown
from maspo.reporting.comparisons import comparison_markdown, comparison_table
from maspo.reporting.cost import cost, cost_latex, cost_markdown
from maspo.reporting.dynamics import dynamics
from maspo.reporting.efficiency import efficiency, efficiency_markdown
from maspo.reporting.facts import facts
from maspo.reporting.published import published, published_latex, published_markdown
from maspo.reporting.results_table import latex_table, markdown_table
from maspo.reporting.run_scores import at_k, mean_scores, run_scores
from maspo.reporting.snapshots import snapshots
from maspo.reporting.stability import stability, stability_latex, stability_markdown
from maspo.reporting.study_data import StudyData
from maspo.reporting.suite import Suite
from maspo.reporting.token_use import gradient_use, ratio_moves, ratio_use
from maspo.reporting.tuning import tuning, tuning_markdown
from maspo.reporting.variance_table import variance, variance_markdown


def study_files(data: StudyData) -> dict[str, str]:
    """Return the tables of one study by file name, to lie in the suite's folder of tables."""
    name, level = data.study.name, data.analysis.statistics.level
    runs, values = run_scores(data), at_k(data)
    means = mean_scores(runs, values)
    comparisons, speed = comparison_table(data), efficiency(data)
    return {
        f"{name}_runs.csv": csv(runs),
        f"{name}.csv": csv(means),
        f"{name}.md": markdown_table(means, data.samples, level),
        f"{name}.tex": latex_table(means, data.samples),
        f"{name}_at_k.csv": csv(values),
        f"{name}_comparisons.csv": csv(comparisons),
        f"{name}_comparisons.md": comparison_markdown(comparisons, level),
        f"{name}_dynamics.csv": csv(dynamics(data)),
        f"{name}_efficiency.csv": csv(speed),
        f"{name}_efficiency.md": efficiency_markdown(data, speed),
        f"{name}_gradient_use.csv": csv(gradient_use(data)),
        f"{name}_ratio_use.csv": csv(ratio_use(data)),
        f"{name}_ratio_moves.csv": csv(ratio_moves(data)),
        f"{name}_snapshots.csv": csv(snapshots(data)),
        f"{name}_facts.csv": csv(facts(data)),
    }


def suite_files(suite: Suite) -> dict[str, str]:
    """Return the files of a whole suite by path below its folder."""
    steady, spent, beside = stability(suite), cost(suite), published(suite)
    parts, rates = variance(suite), tuning(suite)
    judged_claims = judge_claims(suite, load_claims())
    return {
        "tables/stability.csv": csv(steady),
        "tables/stability.md": stability_markdown(suite, steady),
        "tables/stability.tex": stability_latex(suite, steady),
        "tables/variance.csv": csv(parts),
        "tables/variance.md": variance_markdown(suite, parts),
        "tables/tuning.csv": csv(rates),
        "tables/tuning.md": tuning_markdown(suite, rates),
        "tables/cost.csv": csv(spent),
        "tables/cost.md": cost_markdown(suite, spent),
        "tables/cost.tex": cost_latex(spent),
        "tables/published.csv": csv(beside),
        "tables/published.md": published_markdown(suite, beside),
        "tables/published.tex": published_latex(suite, beside),
        "tables/claims.tex": claims_latex(judged_claims),
        "claims.json": json.dumps(claims_json(suite, judged_claims), indent=2, allow_nan=False)
        + "\n",
        "claims.md": claims_markdown(suite, judged_claims),
    }
