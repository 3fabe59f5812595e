"""Step: the tables of one study, from the records and logs of its runs."""

from dataclasses import asdict

from maspo.config import Experiment, as_dict
from maspo.errors import ConfigError
from maspo.files import write_text
from maspo.reporting.analysis import claims_path
from maspo.reporting.files import study_files
from maspo.reporting.results import Results, run_files, study_inputs
from maspo.reporting.suite import load_suite_data
from maspo.steps.common import StepManifest, run_step


def table(experiment: Experiment) -> None:
    """Write the tables of a study into <suite>/tables/, all named <study>..."""
    manifest = StepManifest("table", experiment)
    suite = load_suite_data(experiment, Results(manifest.layout))
    name = experiment.tables_of
    if (data := suite.study([name])) is None:
        names = [data.study.name for data in suite.studies]
        raise ConfigError(f"tables_of={name}: the suite {experiment.suite!r} has {names}")
    folder = manifest.layout.tables(experiment.suite)
    with manifest.timed("table"):
        texts = study_files(data)
    for file, text in texts.items():
        write_text(folder / file, text)
    manifest.finish(
        folder,
        {"study": asdict(data.study), "statistics": as_dict(experiment.statistics)},
        {"bootstrap": experiment.statistics.seed},
        [
            claims_path(),
            *run_files(suite.results, data.runs),
            *study_inputs(suite.results, data.runs),
        ],
        [folder / file for file in texts],
        name=f"{name}_manifest.json",
    )


if __name__ == "__main__":
    run_step(table, needs=("tables_of",))
