"""What a forger of results would do, on a copy of a results folder."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa

from maspo.audit.tables import suite_data
from maspo.audit.tree import Tree
from maspo.evaluation.records import (
    SCHEMA,
    SNAPSHOT_SCHEMA,
    read_records,
    read_snapshots,
    write_records,
)
from maspo.files import sha256, write_text
from maspo.reporting.files import study_files, suite_files
from maspo.tasks import read_problems, write_problems
from maspo.training.rollouts import SCHEMA as ROLLOUTS_SCHEMA
from maspo.training.rollouts import read_rollouts, write_rollouts

ROLLOUTS = "runs/maspo/seed_1/rollouts.parquet"
KINDS = {"records": (read_records, SCHEMA), "snapshots": (read_snapshots, SNAPSHOT_SCHEMA)}


class Forger:
    """Changes files below `root`, and on request every hash and table that would betray it."""

    def __init__(self, root: Path):
        self.root = root

    def replace(self, name, old, new):
        """Replace the first `old` in a text file."""
        text = (self.root / name).read_text()
        assert old in text, f"{name} does not hold {old!r}"
        (self.root / name).write_text(text.replace(old, new, 1))

    def replace_all(self, name, old, new):
        """Replace every `old` in a text file."""
        text = (self.root / name).read_text()
        assert old in text, f"{name} does not hold {old!r}"
        (self.root / name).write_text(text.replace(old, new))

    def flip(self, name, position=-20):
        """Flip one bit of a file."""
        content = bytearray((self.root / name).read_bytes())
        content[position] ^= 1
        (self.root / name).write_bytes(content)

    def cell(self, name, line, column, value):
        """Change a cell of a CSV file and no other byte that pandas would not change."""
        table = pd.read_csv(self.root / name, dtype=str, keep_default_na=False)
        table.loc[line, column] = value
        table.to_csv(self.root / name, index=False)

    def records(self, run, change, name="records"):
        """Apply `change` to the records of a run, a data frame; it returns the new one."""
        path = self.root / "evaluation" / run / f"{name}.parquet"
        read, schema = KINDS[name]
        frame = change(read(path)).reset_index(drop=True)
        write_records(path, pa.Table.from_pandas(frame, schema=schema, preserve_index=False))

    def rollouts(self, change):
        """Apply `change` to each row, a dictionary, that a run kept of its rollouts, in place."""
        path = self.root / ROLLOUTS
        rows = read_rollouts(path).to_pylist()
        for row in rows:
            change(row)
        write_rollouts(path, pa.Table.from_pylist(rows, schema=ROLLOUTS_SCHEMA))

    def problems(self, name, change):
        """Apply `change` to a list of problems; it returns the new one."""
        path = self.root / "data" / name
        write_problems(path, change(read_problems(path)))

    def manifest(self, folder, change):
        """Apply `change` to a manifest, in place."""
        path = self.root / folder
        path = path if path.suffix else path / "manifest.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content, indent=2) + "\n")

    def hashes(self):
        """State in every manifest the hashes that files have now."""
        for _ in range(2):  # the manifests of the claims hash other manifests
            for path in sorted(self.root.rglob("*manifest.json")):
                content = json.loads(path.read_text())
                for part in ("inputs", "outputs"):
                    for name in content[part]:
                        if (file := self.root / name).exists():
                            content[part][name] = sha256(file)
                path.write_text(json.dumps(content, indent=2) + "\n")

    def tables(self):
        """Make tables and claims again from what the records say now, then forge the hashes."""
        tree = Tree(self.root)
        for suite in tree.suites:
            data = suite_data(tree, suite)
            texts = {f"tables/{n}": t for s in data.studies for n, t in study_files(s).items()}
            for name, text in (texts | suite_files(data)).items():
                write_text(tree.layout.suite(suite) / name, text)
        self.hashes()
