"""Step: what is reported of a whole suite: claims, stability, variance, cost, published numbers."""

import json
from dataclasses import asdict

from maspo.config import Experiment, as_dict
from maspo.files import write_text
from maspo.reporting.analysis import claims_path
from maspo.reporting.files import suite_files
from maspo.reporting.published import published_path
from maspo.reporting.results import Results, manifest_files, run_files
from maspo.reporting.suite import load_suite_data
from maspo.steps.common import StepManifest, run_step
from maspo.steps.headlines import claim_headlines


def claims(experiment: Experiment) -> None:
    """Write claims.json and claims.md, and the suite's own tables, into <suite>/."""
    manifest = StepManifest("claims", experiment)
    suite = load_suite_data(experiment, Results(manifest.layout))
    folder = manifest.layout.suite(experiment.suite)
    with manifest.timed("claims"):
        texts = suite_files(suite)
    for file, text in texts.items():
        write_text(folder / file, text)
    manifest.finish(
        folder,
        {
            "studies": {data.study.name: asdict(data.study) for data in suite.studies},
            "statistics": as_dict(experiment.statistics),
        },
        {"bootstrap": experiment.statistics.seed},
        [
            *(claims_path(), published_path()),
            *run_files(suite.results, suite.runs),
            *manifest_files(suite.results, suite.runs),
        ],
        [folder / file for file in texts],
        name="claims_manifest.json",
        headlines=claim_headlines(json.loads(texts["claims.json"])),
    )


if __name__ == "__main__":
    run_step(claims)
