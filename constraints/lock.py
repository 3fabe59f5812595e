"""Write uv.lock with the versions of cpu.txt, extras.txt, docs.txt and slurm.txt; needs uv.

    python constraints/lock.py [path of uv]

verl, vLLM and trackio ask for other versions, so those of the pins cannot hold for every extra. uv
keeps the versions of a lock that it finds wherever they fit: first it locks without the three.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS = ("cpu.txt", "extras.txt", "docs.txt", "slurm.txt")
APART = ("vllm", "verl", "trackio")


def main(uv: str) -> None:
    """Lock without the extras that stand apart, then with them."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines(keepends=True)
    torch = next(line.split('"')[1] for line in lines if line.startswith('    "torch>'))
    start, end = lines.index("conflicts = [\n"), lines.index("]\n", lines.index("conflicts = [\n"))
    del lines[start : end + 1]
    kept = [line for line in lines if not line.startswith(tuple(f"{name} = [" for name in APART))]
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder)
        (together / "pyproject.toml").write_text("".join(kept))
        for name in ("README.md", "LICENSE"):
            shutil.copy(ROOT / name, together)
        shutil.copytree(ROOT / "maspo", together / "maspo")
        pins = [part for name in PINS for part in ("-c", str(ROOT / "constraints" / name))]
        command = [uv, "add", "--no-sync", *pins, torch]
        subprocess.run(command, cwd=together, check=True)
        shutil.copy(together / "uv.lock", ROOT / "uv.lock")
    subprocess.run([uv, "lock"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["uv"])
