"""The table of time and memory of the jobs."""

import pytest

from maspo.config import load_experiment
from maspo.errors import DataError
from maspo.reporting.usage import usage, usage_markdown

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def folder(tmp_path):
    rows = {
        "train/grpo/seed_1": "3600.0\t1:00:00\t1000.0\t0\t0\t0\t0\t0\t50.0\t1800.0",
        "train/grpo/seed_2": "1800.0\t0:30:00\t500.0\t0\t0\t0\t0\t0\t50.0\t900.0",
        "figures/default/claims": "0.1\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA",
    }
    for name, row in rows.items():
        file = tmp_path / f"{name}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + row + "\n")
    return tmp_path


def test_jobs_and_rules(folder):
    table = usage(folder, load_experiment(["resources.train.memory_gb=3"]).resources)
    train = table[table["rule"] == "train"]
    assert train["job"].tolist() == ["grpo/seed_1", "grpo/seed_2"]
    assert train["seconds"].tolist() == [3600, 1800]
    assert train["memory_mb"].tolist() == pytest.approx([1048.576, 524.288])
    assert train["asked_mb"].tolist() == [3000, 3000]
    text = usage_markdown(table)
    assert "| train | 2 | 1.500 | 3600.0 | 0.50 | 1049 | 3000 |" in text
    assert "| figures | 1 | 0.000 | 0.1 | 0.00 | – | – |" in text


def test_bad_files_are_named(folder, tmp_path):
    resources = load_experiment().resources
    with pytest.raises(DataError, match="holds no measured job"):
        usage(tmp_path / "nothing", resources)
    (folder / "train" / "cut.tsv").write_text("s\th:m:s\n")
    with pytest.raises(DataError, match=r"cut\.tsv is no benchmark file"):
        usage(folder, resources)
