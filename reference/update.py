"""Take the full suite of a finished scale into reference/, as what later runs are compared with.

    python reference/update.py results/mini

Copies tables, figures and claims of ``full``, and every manifest behind them as one line of
``manifests.jsonl``. Records and policies stay where they are: the manifests hold their SHA-256.
"""

import json
import shutil
import sys
from pathlib import Path

REFERENCE = Path(__file__).parent


def main() -> None:
    results = Path(sys.argv[1])
    target = REFERENCE / results.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        results / "full", target, ignore=shutil.ignore_patterns("*manifest.json", "*.pdf", "pages")
    )
    manifests = sorted(
        path
        for part in ("data", "base", "runs", "evaluation", "full")
        for path in (results / part).rglob("*manifest.json")
    )
    with (target / "manifests.jsonl").open("w") as file:
        for path in manifests:
            entry = {"manifest": str(path.relative_to(results)), **json.loads(path.read_text())}
            file.write(json.dumps(entry) + "\n")
    print(f"{target}: {len(manifests)} manifests, {len(list(target.rglob('*')))} files")


if __name__ == "__main__":
    main()
