"""A real Slurm on 127.0.0.1 for these tests, or a skip that says how to get it."""

import pytest

from cluster import Cluster, missing_programs
from needs import skip_without
from project import Project

PLUGIN = "snakemake_executor_plugin_slurm"
pytest_pycollect_makemodule = skip_without(PLUGIN, "make test-slurm")


@pytest.fixture(scope="session")
def cluster():
    """Start Slurm; end it after the last test."""
    if missing := missing_programs():
        pytest.skip(
            f"no {', '.join(missing)} here: apt-get install slurm-wlm munge, then make test-slurm"
        )
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


class SlurmProject(Project):
    """A project whose jobs go through sbatch, with the profile that users get."""

    profile = "slurm"

    def __init__(self, folder, cluster):
        super().__init__(folder)
        self.environment |= cluster.environment | {"MASPO_CONFIGS": str(folder / "configs")}

    def command(self, *arguments, **options):
        command = super().command(
            # What a cluster without accounting needs, and shorter waits than on a shared disk.
            *("--slurm-no-account", "--slurm-status-command", "squeue"),
            *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"),
            *arguments,
            **options,
        )
        at = command.index("--cores")  # counts the login node's: a cluster's user leaves it out
        return command[:at] + command[at + 2 :]


@pytest.fixture(scope="session")
def slurm_project(cluster, tmp_path_factory):
    """Return a function that makes a project in which nothing has been run."""
    return lambda name: SlurmProject(tmp_path_factory.mktemp(name), cluster)
