"""Step: audit a results folder from its files alone.

python -m maspo.steps.audit results/mini
python -m maspo.steps.audit results/mini --jobs 2
python -m maspo.steps.audit results/mini --draw-again
python -m maspo.steps.audit results/mini --only default/main/maspo/average/avg_at_k
python -m maspo.steps.audit results/mini --only default/claims/above_grpo
python -m maspo.steps.audit results/mini --only default/figures/main/avg_at_k.png
"""

import argparse
import gc
import sys
from pathlib import Path

from jsonschema import validate

from maspo.audit.audit import SLOW, STATUS, as_json, as_markdown, run_audit
from maspo.audit.trace import trace
from maspo.audit.tree import PROJECT, Tree
from maspo.errors import DataError, MaspoError
from maspo.files import read_json, write_json, write_text
from maspo.inert import printable


def main() -> None:
    """Write audit/audit.json and audit/audit.md into the folder.

    The exit status is 1 if a check fails, else 2 if something could not be checked, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="a results folder, such as results/mini")
    parser.add_argument(
        "--only", metavar="PLACE", help="print the chain behind a cell, claim or file"
    )
    parser.add_argument(
        "--draw-again", action="store_true", help="evaluate every policy again as well"
    )
    parser.add_argument(
        "--output", type=Path, help="folder of the report, in place of RESULTS/audit"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="checks that run at once, in processes"
    )
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        parser.error(f"--jobs {arguments.jobs}: at least 1")
    tree = Tree(arguments.results.absolute())
    try:
        if arguments.only:
            print("\n".join(map(printable, trace(tree, arguments.only))))
            return
        folder = arguments.output or tree.root / "audit"
        if folder.is_symlink() and not arguments.output:
            raise DataError(f"{folder} is a link: delete it, or name another place by --output")
        gc.freeze()  # modules stay: they need not be looked through for garbage again and again
        audit = run_audit(tree, skip=() if arguments.draw_again else SLOW, jobs=arguments.jobs)
        report = as_json(audit)
        validate(report, read_json(PROJECT / "workflow/schemas/audit.schema.json"))
        write_json(folder / "audit.json", report)
        text = as_markdown(audit)
        write_text(folder / "audit.md", text)
    except MaspoError as error:
        sys.exit(f"error: {printable(str(error))}")
    print(text)
    sys.exit(STATUS[audit.outcome])


if __name__ == "__main__":
    main()
