"""The notebook of examples/, run on the smoke DAG: its figures and numbers are the package's."""

import json

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from project import ROOT

NOTEBOOK = ROOT / "examples" / "compare.ipynb"


def run(results, folder, monkeypatch):
    """Return the notebook's cells, run on a results folder, with one more that prints numbers."""
    monkeypatch.setenv("RESULTS", str(results))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("print(differences.to_json(), len(learned))"))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    return notebook.cells


@pytest.mark.workflow
@pytest.mark.slow
def test_the_notebook_shows_what_the_workflow_reports(finished, tmp_path, monkeypatch):
    *cells, last = run(finished.results, tmp_path, monkeypatch)
    kinds = [
        kind for cell in cells for out in cell.get("outputs", []) for kind in out.get("data", {})
    ]
    assert kinds.count("image/png") == 2
    shown, learned = last.outputs[0].text.rsplit(maxsplit=1)
    shown = pd.DataFrame(json.loads(shown)).reset_index(drop=True)
    table = pd.read_csv(finished.results / "default/tables/smoke_comparisons.csv")
    table = table[(table.method == "maspo") & (table.reference == "grpo")].reset_index(drop=True)
    columns = ["benchmark", "metric", "k", "difference", "low", "high", "p"]
    pd.testing.assert_frame_equal(shown[columns], table[columns])
    rollouts = pd.read_parquet(finished.results / "runs/maspo/seed_1/rollouts.parquet")
    assert int(learned) == (rollouts.advantage != 0).sum() > 0


@pytest.mark.workflow
@pytest.mark.slow
def test_a_folder_without_results_is_named(tmp_path, monkeypatch):
    with pytest.raises(CellExecutionError, match="nothing/evaluation: no seed of both maspo and"):
        run(tmp_path / "nothing", tmp_path, monkeypatch)


def test_the_notebook_is_stored_without_outputs():
    cells = [c for c in nbformat.read(NOTEBOOK, as_version=4).cells if c.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
