"""Step: results as one zip file, an RO-Crate; or the check of an unpacked one.

python -m maspo.steps.archive results/mini            # writes results/mini.zip
python -m maspo.steps.archive --check FOLDER          # of an unpacked archive
"""

import argparse
import sys
from pathlib import Path

from maspo.audit.archive import check_archive, write_archive
from maspo.config import config_dir
from maspo.errors import MaspoError

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Write or check an archive, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="results of a scale, or an unpacked archive")
    parser.add_argument("--check", action="store_true", help="check an unpacked archive")
    parser.add_argument(
        "--without-policies",
        action="store_true",
        help="leave the weights out; an audit then misses them",
    )
    parser.add_argument("--output", type=Path, help="default: FOLDER.zip")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    try:
        if arguments.check:
            print(f"{folder}: {check_archive(folder)} files are as listed")
            return
        target = arguments.output or folder.with_name(f"{folder.name}.zip")
        sources = {
            "configs": config_dir(),
            "constraints/cpu.txt": ROOT / "constraints" / "cpu.txt",
            "CITATION.cff": ROOT / "CITATION.cff",
        }
        policies = not arguments.without_policies
        count = write_archive(target, folder, sources, ROOT / "LICENSE", policies)
        print(f"{target}: {count} files, {target.stat().st_size / 1e6:.1f} MB")
    except MaspoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
