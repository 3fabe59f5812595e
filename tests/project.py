"""A folder in which the real workflow runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Project:
    """A folder with its own results and its own copy of the configuration."""

    checkout = ROOT
    profile = "default"  # of profiles

    def __init__(self, folder):
        self.folder = folder
        if not (folder / "configs").exists():
            shutil.copytree(ROOT / "configs", folder / "configs")
        self.environment = {**os.environ, "MASPO_CONFIGS": str(folder / "configs")}

    def command(self, *arguments, config=("scale=smoke",)):
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", self.checkout / "Snakefile"),
            *("--workflow-profile", self.checkout / "profiles" / self.profile),
            *("--directory", self.folder, "--cores", "all", *arguments, "--config", *config),
        ]

    def snakemake(self, *arguments, config=("scale=smoke",), check=True):
        command = self.command(*arguments, config=config)
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True
        )
        output = done.stdout + done.stderr
        assert not check or done.returncode == 0, output
        return output

    def step(self, name, *overrides, **options):
        command = [sys.executable, "-m", f"maspo.steps.{name}", "scale=smoke", *overrides]
        return subprocess.Popen(command, env=self.environment, cwd=self.folder, **options)

    @property
    def results(self):
        return self.folder / "results" / "smoke"

    def edit(self, path, old, new):
        file = self.folder / "configs" / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
