# The front page of `snakemake --report` opens with what came out: workflow/report/workflow.rst.
import json

SHOWN = {
    "fraction": (100, "points"),
    "share": (100, "points of the runs"),
    "nats": (1, "nats"),
}


def verdicts():
    """Return statement, verdict and effect of each claim of the largest suite that is there."""
    for suite in ("full", EXPERIMENT.suite):
        path = Path(RESULTS, suite, "claims.json")
        if path.is_file():
            claims = json.loads(path.read_text(encoding="utf-8"))["claims"]
            rows = [(c["statement"], c["verdict"], effects(c["parts"])) for c in claims]
            return {"suite": suite, "rows": rows}
    return None


def effects(parts):
    """Return the effects of a claim's parts with their intervals, in words."""
    texts = []
    for part in parts:
        if part["effect"] is not None:
            scale, unit = SHOWN.get(part["unit"], (1, part["unit"]))
            numbers = [part["effect"], part["low"], part["high"]]
            effect, *bounds = (n if n is None else f"{scale * n:+.3g}" for n in numbers)
            between = "" if None in bounds else f" [{', '.join(bounds)}]"
            texts.append(f"{effect}{between} {unit}")
    return "; ".join(texts) or "--"


config["verdicts"] = verdicts() if "--report" in sys.argv else None
