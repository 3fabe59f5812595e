"""The real DAG at scale smoke, built once for all tests of the workflow.

It lies below a folder that every shell line has to quote, its checkout as well as its results.
"""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from project import ROOT, Project

FOLDER = "Größe 'x' & $HOME"


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """Return this process's copy of the DAG that the first process built.

    The checkout is a link that all copies share, so the paths that Snakemake noted stay right. The
    tests that start Snakemake through it are the group "checkout", because one of them moves it.
    """
    own = tmp_path_factory.getbasetemp()
    note = (own.parent if own.name.startswith("popen-") else own) / "smoke.txt"
    with FileLock(note.with_suffix(".lock")):
        if not note.exists():
            built = Project(tmp_path_factory.mktemp("smoke") / FOLDER)
            built.checkout = built.folder / "check out"
            built.checkout.symlink_to(ROOT)
            built.snakemake()
            note.write_text(str(built.folder), encoding="utf-8")
    first = Path(note.read_text(encoding="utf-8"))
    project = Project(tmp_path_factory.mktemp("project") / FOLDER)
    project.checkout = first / "check out"
    skipped = shutil.ignore_patterns("check out")
    shutil.copytree(first, project.folder, ignore=skipped, dirs_exist_ok=True)
    return project


@pytest.fixture
def new_project(tmp_path):
    """Return a project in which nothing has been run."""
    return Project(tmp_path)
