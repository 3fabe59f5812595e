"""Step: a policy, the data or the completions in the forms of the Hugging Face hub and lighteval.

python -m maspo.steps.share policy results/mini maspo 1 shared/maspo-seed-1
python -m maspo.steps.share data results/mini shared/data
python -m maspo.steps.share evaluations results/mini shared/evaluations
python -m maspo.steps.share details results/mini maspo 1 shared/lighteval
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from maspo.errors import MaspoError
from maspo.files import files_below
from maspo.sharing.data import share_data, share_evaluations
from maspo.sharing.details import share_details
from maspo.sharing.policy import share_policy

KINDS: dict[str, tuple[Callable[..., None], str]] = {
    "policy": (share_policy, "a model with its card, for transformers"),
    "data": (share_data, "the problems with a data card, for datasets.load_dataset"),
    "evaluations": (share_evaluations, "every completion with a data card, for load_dataset"),
    "details": (share_details, "the completions of a policy as details of lighteval"),
}
OF_A_RUN = ("policy", "details")


def main() -> None:
    """Write what the command line asks for into a new folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, (_, what) in KINDS.items():
        one = kinds.add_parser(name, help=what, description=what)
        one.add_argument("results", type=Path, help="a results folder, such as results/mini")
        if name in OF_A_RUN:
            one.add_argument("variant", help="such as maspo; base: the policy before RL")
            one.add_argument("seed", type=int)
        one.add_argument("target", type=Path, help="a new folder")
    arguments = vars(parser.parse_args())
    share, _ = KINDS[arguments.pop("kind")]
    target = arguments["target"]
    try:
        share(**arguments)
    except MaspoError as error:
        sys.exit(f"error: {error}")
    files = list(files_below(target))
    size = sum(file.stat().st_size for file in files) / 1e6
    print(f"{target}: {len(files)} files, {size:.1f} MB")


if __name__ == "__main__":
    main()
