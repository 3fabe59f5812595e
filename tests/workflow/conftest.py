"""The real DAG at scale smoke, built once for all tests of the workflow.

It lies below a folder that every shell line has to quote, its checkout as well as its results.
"""

import pytest

from project import ROOT, Project


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("project") / "Größe 'x' & $HOME")
    project.checkout = project.folder / "check out"
    project.checkout.symlink_to(ROOT)
    project.snakemake()
    return project


@pytest.fixture
def new_project(tmp_path):
    """Return a project in which nothing has been run."""
    return Project(tmp_path)
