"""The real DAG at scale smoke, built once for all tests of the workflow."""

import pytest

from project import Project


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("project"))
    project.snakemake()
    return project


@pytest.fixture
def new_project(tmp_path):
    """Return a project in which nothing has been run."""
    return Project(tmp_path)
