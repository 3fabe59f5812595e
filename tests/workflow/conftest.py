"""The real DAG at scale smoke, built once for all tests of the workflow.

It lies below a folder that every shell line has to quote, its checkout as well as its results.
"""

import json
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from project import ROOT, Project

FOLDER = "Größe 'x' & $HOME"
CHECKOUT = "check out"  # a link, which a test lets point elsewhere


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """Return the project with the DAG and a copy; the first process that asks makes both."""
    own = tmp_path_factory.getbasetemp()
    note = (own.parent if own.name.startswith("popen-") else own) / "smoke.json"
    with FileLock(note.with_suffix(".lock")):
        if not note.exists():
            project = Project(tmp_path_factory.mktemp("smoke") / FOLDER)
            project.checkout = project.folder / CHECKOUT
            project.checkout.symlink_to(ROOT)
            project.snakemake()
            copy = tmp_path_factory.mktemp("finished") / FOLDER
            shutil.copytree(project.folder, copy, symlinks=True)
            note.write_text(json.dumps([str(project.folder), str(copy)]))
    project, copy = (Project(Path(folder)) for folder in json.loads(note.read_text()))
    project.checkout = project.folder / CHECKOUT
    return project, copy


@pytest.fixture(scope="session")
def project(smoke):
    """Return the project to start Snakemake in, for tests of the group "checkout" alone."""
    return smoke[0]


@pytest.fixture(scope="session")
def finished(smoke):
    """Return a copy of the project, which all processes read and none changes."""
    return smoke[1]


@pytest.fixture
def new_project(tmp_path):
    """Return a project in which nothing has been run."""
    return Project(tmp_path)
