"""A Slurm of one node on 127.0.0.1: munged, slurmctld and slurmd as ordinary processes."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

NODE = "here"
# More CPUs and GPUs than there are: Slurm counts them, nobody computes on the latter.
CONFIGURATION = """\
ClusterName=maspo
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=5
GresTypes=gpu
EnforcePartLimits=ALL
NodeName={node} NodeAddr=127.0.0.1 NodeHostname={host} CPUs=4 RealMemory=16000 Gres=gpu:2
PartitionName=work Nodes={node} Default=YES MaxTime=120 State=UP
"""
GPUS = """\
NodeName={node} Name=gpu File=/dev/null
NodeName={node} Name=gpu File=/dev/zero
"""
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")


def missing_programs() -> list[str]:
    """Return the programs of Slurm that this machine lacks."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return [program for program in PROGRAMS if shutil.which(program, path=path) is None]


class Cluster:
    """The processes, their folder, and the environment in which Slurm's commands reach them."""

    def __init__(self) -> None:
        # Short, because the name of a socket may have 107 letters.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm"))
        self.folder.chmod(0o755)  # munged asks for it
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": os.pathsep.join(
                [str(self.folder / "bin"), os.environ["PATH"], "/usr/sbin", "/sbin"]
            ),
        }
        self.processes: list[subprocess.Popen] = []

    def start(self) -> None:
        """Start the three daemons and wait until the node takes jobs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        self._write_srun()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        values = {
            "folder": self.folder,
            "host": socket.gethostname(),
            "user": self.command("id", "-un").strip(),
            "node": NODE,
            "controller": free_port(),
            "daemon": free_port(),
        }
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
        (self.folder / "gres.conf").write_text(GPUS.format(**values))
        files = {
            f"--{option}": self.folder / f"munge.{end}"
            for option, end in [
                ("key-file", "key"),
                ("socket", "socket"),
                ("pid-file", "pid"),
                ("log-file", "log"),
                ("seed-file", "seed"),
            ]
        }
        self._run("munged", "--foreground", "--force", *(f"{k}={v}" for k, v in files.items()))
        self._until("munged has a socket", lambda: (self.folder / "munge.socket").exists())
        self._run("slurmctld", "-D", "-c")
        self._run("slurmd", "-D", "-N", NODE)
        self._until("the node is idle", lambda: "idle" in self.command("sinfo", "-h", "-o", "%T"))

    def stop(self) -> None:
        """End the daemons by their process ids, the last one first, and remove the folder."""
        self.command("scancel", "--state=RUNNING,PENDING", "--partition=work")
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *words: str) -> str:
        """Run one of Slurm's commands; return what it printed, errors included."""
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True)
        return done.stdout + done.stderr

    def jobs(self) -> list[dict[str, str]]:
        """Return every job that Slurm remembers, as `scontrol show job` tells it."""
        lines = self.command("scontrol", "--oneliner", "show", "job").splitlines()
        return [
            dict(word.split("=", 1) for word in line.split() if "=" in word)
            for line in lines
            if line.startswith("JobId=")
        ]

    def _write_srun(self) -> None:
        """Let srun find this Slurm: the executor starts it without SLURM_CONF, as on a cluster."""
        srun = self.folder / "bin" / "srun"
        srun.parent.mkdir()
        conf = self.environment["SLURM_CONF"]
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)

    def _run(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.out").open("wb") as output:
            self.processes.append(
                subprocess.Popen(words, env=self.environment, stdout=output, stderr=output)
            )

    def _until(self, what: str, condition) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            dead = [process.args[0] for process in self.processes if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = [*self.folder.glob("*.log"), *self.folder.glob("*.out")]
                told = "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in logs)
                raise RuntimeError(f"never came about: {what} (ended: {dead})\n{told}")
            time.sleep(0.1)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
