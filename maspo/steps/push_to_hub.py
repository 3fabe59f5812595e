"""Step: a folder that `share` wrote to the Hugging Face hub, with the token of `hf auth login`.

python -m maspo.steps.push_to_hub shared/maspo-seed-1 OWNER/NAME --dry-run
"""

import argparse
import sys
from pathlib import Path

from maspo.errors import MaspoError
from maspo.inert import printable
from maspo.sharing.hub import plan_upload, upload


def main() -> None:
    """List what goes where, and upload it unless it is a dry run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="written by python -m maspo.steps.share")
    parser.add_argument("repository", help="OWNER/NAME on the hub")
    parser.add_argument("--dry-run", action="store_true", help="list the files; send nothing")
    parser.add_argument("--public", action="store_true", help="a new repository is private else")
    arguments = parser.parse_args()
    try:
        planned = plan_upload(arguments.folder, arguments.repository)
        for name, size in planned.files:
            print(f"{size:>12,}  {printable(name)}")
        total = sum(size for _, size in planned.files)
        what = f"{len(planned.files)} files, {total / 1e6:.1f} MB, {planned.kind}"
        if arguments.dry_run:
            print(f"would go to {planned.repository}: {what}; nothing was sent")
            return
        address = upload(arguments.folder, planned, not arguments.public)
        print(f"{what}: {address}")
    except MaspoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
