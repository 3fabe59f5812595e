"""Show what a run drew while it trained, or the completions of an evaluation, as one HTML page.

python -m maspo.steps.view results/mini/runs/maspo/seed_1
python -m maspo.steps.view results/mini/evaluation/maspo/seed_1
python -m maspo.steps.view results/mini/evaluation/maspo/seed_1 --output /tmp/page.html
"""

import argparse
import sys
from pathlib import Path

from maspo.errors import MaspoError
from maspo.inert import printable
from maspo.viewer.page import write_page
from maspo.viewer.rows import rows_of


def main() -> None:
    """Write the page; it needs no server and asks no other machine for anything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the folder of a run or of an evaluation")
    parser.add_argument("--output", type=Path, help="the page, in place of one in RESULTS/view/")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    kind, variant, seed = folder.parts[-3:]
    page = arguments.output or folder.parents[2] / "view" / f"{kind}-{variant}-{seed}.html"
    try:
        count = write_page(page, f"{kind} {variant} {seed}", rows_of(folder))
    except MaspoError as error:
        sys.exit(f"error: {printable(str(error))}")
    print(f"{count} completions in {page} ({page.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
