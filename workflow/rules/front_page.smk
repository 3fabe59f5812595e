# The front page of `snakemake --report` opens with what came out: workflow/report/workflow.rst.


def verdicts():
    """Return statement, verdict and effects of each claim of the largest suite that is there."""
    from maspo.files import read_json
    from maspo.reporting.claim_statistics import Effect
    from maspo.reporting.claims import effect_text

    def effects(parts):
        numbers = ("value", "low", "high")
        for part in parts:
            if part["effect"] is not None:
                found = dict(zip(numbers, (part["effect"], part["low"], part["high"])))
                known = {
                    name: float("nan") if n is None else n for name, n in found.items()
                }
                yield effect_text(
                    Effect("", **known, unit=part["unit"], seeds=part["seeds"])
                )

    for suite in ("full", EXPERIMENT.suite):
        path = Path(RESULTS, suite, "claims.json")
        if path.is_file():
            claims = read_json(path)["claims"]
            texts = [
                "; ".join(effects(claim["parts"])) or "no effect" for claim in claims
            ]
            rows = [
                (c["statement"], c["verdict"], text) for c, text in zip(claims, texts)
            ]
            return {"suite": suite, "rows": rows}
    return None


config["verdicts"] = verdicts() if "--report" in sys.argv else None
