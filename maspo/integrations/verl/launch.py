"""A run as a shell script: verl's trainer, then its model merger; on one node, on Ray, on Slurm."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from maspo.config import Experiment, VerlEngine
from maspo.errors import ConfigError, DataError
from maspo.files import write_text
from maspo.integrations.verl.overrides import verl_overrides
from maspo.layout import BASE_VARIANT, Layout

RAY_PORT = 6379


@dataclass(frozen=True)
class VerlRun:
    """Files and commands of one run that verl trains.

    Everything of verl lies below the run's checkpoint folder, outside the step's declared
    outputs: `problems.parquet`, `logs/<attempt>.jsonl`, `global_step_<n>/`, `merged/`.
    """

    experiment: Experiment

    @property
    def engine(self) -> VerlEngine:
        """The settings of the engine."""
        return self.experiment.engine

    @property
    def layout(self) -> Layout:
        """Paths of this scale, absolute: verl's workers have folders of their own."""
        return Layout(Path(self.experiment.results).resolve())

    @property
    def folder(self) -> Path:
        """verl's checkpoints of this run."""
        return self.layout.checkpoints(self.experiment.variant, self.experiment.seed)

    @property
    def problems(self) -> Path:
        """The training problems in verl's layout."""
        return self.folder / "problems.parquet"

    @property
    def merged(self) -> Path:
        """The trained policy in Hugging Face format."""
        return self.folder / "merged"

    @property
    def logs(self) -> Path:
        """verl's metrics, one file an attempt: verl truncates the file that it is given."""
        return self.folder / "logs"

    def train_command(self) -> list[str]:
        """Return the command of verl's trainer."""
        policy = self.layout.policy(BASE_VARIANT, self.experiment.base_seed)
        overrides = verl_overrides(self.experiment, policy, self.problems, self.folder)
        return [self.engine.python, "-m", "verl.trainer.main_ppo", *overrides]

    def merge_command(self) -> list[str]:
        """Return the command that turns verl's last checkpoint into a Hugging Face folder."""
        last = self.folder / f"global_step_{self.experiment.train.steps}" / "actor"
        merge = [self.engine.python, "-m", "verl.model_merger", "merge", "--backend", "fsdp"]
        return [*merge, "--local_dir", str(last), "--target_dir", str(self.merged)]

    def script(self) -> str:
        """Return the shell script that trains and merges."""
        engine = self.engine
        start = {"process": "", "ray": RAY, "slurm": _slurm_ray(engine)}[engine.launcher]
        lines = [
            "#!/usr/bin/env bash",
            *(_sbatch_lines(engine, self.folder) if engine.launcher == "slurm" else ()),
            "set -euo pipefail",
            f"mkdir -p {shlex.quote(str(self.logs))}",
            f"export VERL_FILE_LOGGER_PATH={shlex.quote(str(self.logs))}/$(date +%s).jsonl",
            # vLLM would compile FlashInfer's sampler at its first start, on every node.
            "export VLLM_USE_FLASHINFER_SAMPLER=${VLLM_USE_FLASHINFER_SAMPLER:-0}",
            *start.splitlines(),
            _wrap(self.train_command()),
            _wrap(self.merge_command()),
        ]
        return "\n".join(lines) + "\n"

    def check_attention(self) -> None:
        """Refuse to start, or to queue, a run without the attention that it asks for.

        verl loads the policy with flash-attn's attention unless told otherwise, and reads batches
        without padding by it. No requirement of verl installs it: it must be compiled.

        Raises:
            ConfigError: `engine.python` cannot be run, or has no flash_attn.
        """
        if any("attn_implementation" in override for override in self.engine.overrides):
            return
        find = "import importlib.util as u; print(u.find_spec('flash_attn') is not None)"
        python = f"engine.python={self.engine.python!r}"
        command = [self.engine.python, "-c", find]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ConfigError(f"{python} cannot run: {error}") from error
        if done.stdout.split()[-1:] != ["True"]:
            raise ConfigError(
                f"{python} has no flash_attn, which verl's attention "
                "needs: with a CUDA compiler (nvcc) there, `pip install --no-build-isolation "
                "flash-attn==2.8.3` (constraints/verl.txt); docs/paper_scale.md has more"
            )

    def run(self) -> None:
        """Run the script to its end.

        Raises:
            ConfigError: verl's interpreter lacks what the settings need; nothing was started.
            DataError: a command failed; its output is in the log of this step.
        """
        self.check_attention()
        path = self.folder / "run.sh"
        write_text(path, self.script())
        command = ["bash", str(path)]
        if self.engine.launcher == "slurm":
            command = ["sbatch", "--wait", str(path)]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise DataError(
                f"{shlex.join(command)} failed ({error}): see its output above and {self.folder}; "
                "run this step again to go on from verl's last checkpoint"
            ) from error


RAY = """\
# A Ray cluster runs already: `ray start --head` on one node, `ray start --address=HEAD` on others.
export RAY_ADDRESS=${RAY_ADDRESS:-auto}"""


def _sbatch_lines(engine: VerlEngine, folder: Path) -> list[str]:
    options = {
        "nodes": engine.nodes,
        "ntasks-per-node": 1,
        "gpus-per-node": engine.gpus_per_node,
        "output": str(folder).replace("%", "%%") + "/slurm-%j.log",
        **engine.slurm,
    }
    return [
        f"#SBATCH --{k}" + (f"={shlex.quote(str(v))}" if v != "" else "")
        for k, v in options.items()
    ]


def _slurm_ray(engine: VerlEngine) -> str:
    """Return the lines that start Ray on every node of a Slurm job."""
    ray = f"{shlex.quote(engine.python)} -m ray.scripts.scripts"
    # A step of Slurm has one core and a share of the memory unless it asks for more.
    cores = '--cpus-per-task="${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}" --cpu-bind=none --mem=0'
    on_node = f'srun --overlap --nodes=1 --ntasks=1 {cores} --nodelist="$node"'
    start = f"start --num-gpus={engine.gpus_per_node} --block"
    return f"""\
nodes=($(scontrol show hostnames "$SLURM_JOB_NODELIST"))
head=$(srun --nodes=1 --ntasks=1 --nodelist="${{nodes[0]}}" hostname --ip-address | cut -d' ' -f1)
for node in "${{nodes[@]}}"; do
  role="--address=$head:{RAY_PORT}"
  [ "$node" = "${{nodes[0]}}" ] && role="--head --node-ip-address=$head --port={RAY_PORT}"
  {on_node} {ray} {start} $role &
  sleep 10
done
export RAY_ADDRESS="$head:{RAY_PORT}\""""


def _wrap(command: list[str]) -> str:
    """Return a command with each override on a line of its own."""
    parts = [shlex.quote(part) for part in command]
    return " ".join(f"\\\n  {part}" if "=" in part else part for part in parts)
