"""The forgers' attacks: what each does, the check that must find it, and the file it must name."""

import shutil

from acts import (
    GRPO,
    MAIN,
    MASPO,
    METRICS,
    SNAPSHOTS,
    TIMINGS,
    cut_log,
    drop_seed,
    easier_benchmarks,
    easier_gold,
    edit,
    every_token_moved,
    first,
    gold_of_the_answer,
    invented_study,
    leak,
    linked,
    manifest,
    new_file,
    no_token_moved,
    one_more,
    other_method,
    other_numbers,
    output,
    pipe,
    policy_as_text,
    policy_of_another_architecture,
    records,
    rename_variants,
    right_answer,
    rollouts,
    rows,
    second_seed,
    seconds_of_another_run,
    set_in,
    snapshots,
    some_texts,
    swap_policies,
    swap_policies_and_forge,
    swap_snapshots,
    text,
    then,
    train_settings,
    twice,
    weight_of_nothing,
    without,
    without_input,
    without_last_problem,
    without_weights,
    wrong_to_correct,
)

from tamper import ROLLOUTS, Forger

RUN = "runs/maspo/seed_1/manifest.json"

# name: (attack, the check that must find it, the file that it must name)
ATTACKS = {
    "a flipped bit in records": (lambda f: f.flip(MASPO), "chain", MASPO),
    "a flipped bit in weights": (
        lambda f: f.flip("base/seed_1/policy/model.safetensors"),
        *("chain", "base/seed_1/policy"),
    ),
    "an edited cell": (lambda f: f.cell(MAIN, 3, "avg_at_k", "0.99"), "chain", MAIN),
    "an edited cell, hash forged": (
        then(lambda f: f.cell(MAIN, 3, "avg_at_k", "0.99"), Forger.hashes),
        *("metrics", MAIN),
    ),
    "an edited interval, hash forged": (
        then(lambda f: f.cell(MAIN, 3, "avg_at_k_low", "0.01"), Forger.hashes),
        *("tables", MAIN),
    ),
    "an edited curve, hash forged": (
        then(lambda f: f.cell("default/tables/smoke_at_k.csv", 9, "value", "0.99"), Forger.hashes),
        *("metrics", "default/tables/smoke_at_k.csv"),
    ),
    "an edited Markdown table, hash forged": (
        edit("default/tables/smoke.md", "MASPO", "MASPO*"),
        *("tables", "default/tables/smoke.md"),
    ),
    "a deleted table": (
        without("default/tables/smoke_runs.csv"),
        *("chain", "default/tables/smoke_runs.csv"),
    ),
    "a swapped policy": (swap_policies, "chain", "runs/grpo/seed_1/policy"),
    "a swapped policy, its hash forged": (
        swap_policies_and_forge,
        *("chain", "evaluation/grpo/seed_1/manifest.json"),
    ),
    "a dropped seed": (drop_seed, "seeds", "runs/maspo/seed_1"),
    "a changed seed": (
        manifest("runs/maspo/seed_1", "seeds", "run", value=7),
        *("seeds", "runs/maspo/seed_1/manifest.json"),
    ),
    "another learning rate for one run": (
        manifest("runs/maspo/seed_1", "settings", "train", "lr", value=0.5),
        *("fairness", "runs/maspo/seed_1/manifest.json"),
    ),
    "another alpha than declared": (
        manifest("runs/maspo/seed_1", "settings", "objective", "alpha", value=0.9),
        *("fairness", "runs/maspo/seed_1/manifest.json"),
    ),
    "another temperature for one evaluation": (
        manifest("evaluation/maspo/seed_1", "settings", "evaluate", "temperature", value=0.1),
        *("fairness", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "renamed variants": (rename_variants, "fairness", "runs/maspo/seed_1/manifest.json"),
    "a duplicated sample": (
        # No table can be made from these records: the forger leaves those as they are.
        then(lambda f: f.records("maspo/seed_1", twice), Forger.hashes),
        *("budgets", MASPO),
    ),
    "a redrawn sample": (records(first("seed", 5)), "budgets", MASPO),
    "a completion over the budget": (records(first("tokens", 4000)), "budgets", MASPO),
    "a hard problem dropped everywhere": (
        then(
            *(
                lambda f, run=run: f.records(
                    run, lambda r: r[r["problem"] != r["problem"].iloc[-1]]
                )
                for run in ("base/seed_1", "grpo/seed_1", "maspo/seed_1")
            ),
            Forger.tables,
        ),
        *("budgets", MASPO),
    ),
    "a step missing in a log": (cut_log, "budgets", "runs/maspo/seed_1/metrics.jsonl"),
    "an edited log": (
        lambda f: f.replace("runs/maspo/seed_1/metrics.jsonl", '"reward": 0', '"reward": 1'),
        *("chain", "runs/maspo/seed_1/metrics.jsonl"),
    ),
    "an edited log, hash forged": (
        edit("runs/maspo/seed_1/metrics.jsonl", '"reward": 0', '"reward": 1'),
        *("tables", "default/tables/smoke_dynamics.csv"),
    ),
    "an edited verdict, all tables and hashes forged": (
        records(wrong_to_correct),
        *("verdicts", MASPO),
    ),
    "an edited gold, all tables and hashes forged": (records(gold_of_the_answer), "gold", MASPO),
    "an edited completion, all tables and hashes forged": (
        records(first("text", "nothing")),
        *("verdicts", MASPO),
    ),
    "a leaked benchmark problem": (leak("train.parquet"), "leaks", "data/train.parquet"),
    "a benchmark problem among those of all facts": (
        *(leak("all.parquet"), "leaks"),
        "data/all.parquet",
    ),
    "an edited table of facts, hashes forged": (
        edit("data/facts.csv", ",1\n", ",0\n"),
        *("data", "data/facts.csv"),
    ),
    "an edited table of what a base policy knows, hashes forged": (
        edit("base/seed_1/knowledge.csv", ",0.", ",0.9"),
        *("data", "base/seed_1/knowledge.csv"),
    ),
    "an edited verdict on the way, hashes forged": (
        snapshots(wrong_to_correct),
        *("verdicts", SNAPSHOTS),
    ),
    "a sample left out on the way, hashes forged": (
        snapshots(lambda frame: frame[frame.index > 0]),
        *("budgets", SNAPSHOTS),
    ),
    "a redrawn sample on the way, hashes forged": (
        snapshots(first("seed", 5)),
        *("budgets", SNAPSHOTS),
    ),
    "a policy left out on the way, hashes forged": (
        snapshots(lambda frame: frame[frame["step"] == 4]),
        *("budgets", SNAPSHOTS),
    ),
    "a problem left out on the way, hashes forged": (
        snapshots(without_last_problem),
        *("budgets", SNAPSHOTS),
    ),
    "a swapped policy on the way, hashes forged": (swap_snapshots, "draws", SNAPSHOTS),
    "a policy on the way from elsewhere": (
        without_input("evaluation/maspo/seed_1", "runs/maspo/seed_1/snapshots/step_2"),
        *("inputs", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "an easier benchmark, hashes forged": (
        easier_gold,
        *("data", "data/benchmarks/terms2.parquet"),
    ),
    "an edited claim, hash forged": (
        edit("default/claims.json", '"verdict": "', '"verdict": "not '),
        *("claims", "default/claims.json"),
    ),
    "a missing manifest": (
        without("evaluation/grpo/seed_1/manifest.json"),
        *("partial", "evaluation/grpo/seed_1"),
    ),
    "an extra run": (
        new_file("evaluation/maspo/seed_2/records.parquet"),
        *("partial", "evaluation/maspo/seed_2"),
    ),
    "an unfinished run": (
        new_file("checkpoints/maspo/seed_2/checkpoint.pt"),
        *("partial", "checkpoints/maspo/seed_2"),
    ),
    "a better log, all tables and hashes forged": (
        rows(METRICS, lambda row: {**row, "reward": 0.875}),
        *("logs", METRICS),
    ),
    "a better log, its accuracy as well": (
        rows(METRICS, lambda row: {**row, "reward": 0.875, "accuracy": 0.875}),
        *("logs", METRICS),
    ),
    "fewer tokens in a log": (
        rows(METRICS, lambda row: {**row, "tokens": row["tokens"] // 2}),
        *("logs", METRICS),
    ),
    "fewer seconds in a log": (
        rows(TIMINGS, lambda row: {**row, "seconds": row["seconds"] / 2}),
        *("logs", TIMINGS),
    ),
    "fewer seconds from start to end than in the parts": (
        manifest("evaluation/maspo/seed_1", "time", "seconds", value={"sample": 1e4}),
        *("logs", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "another method's run": (other_method, "logs", METRICS),
    "a better completion, all tables and hashes forged": (records(right_answer), "draws", MASPO),
    "a swapped policy, all hashes forged": (then(swap_policies, Forger.hashes), "draws", GRPO),
    "a learning curve that was cut": (
        then(
            lambda f: f.replace("base/seed_1/metrics.jsonl", '{"step": 10,', '{"step": 11,'),
            Forger.hashes,
        ),
        *("logs", "base/seed_1/metrics.jsonl"),
    ),
    "shorter completions, all tables and hashes forged": (
        records(lambda frame: frame.assign(tokens=frame["tokens"] // 2)),
        *("budgets", MASPO),
    ),
    "a policy from elsewhere": (
        without_input("evaluation/maspo/seed_1", "runs/maspo/seed_1/policy", "/gone/policy"),
        *("inputs", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "a run without its base policy": (
        without_input("runs/maspo/seed_1", "base/seed_1/policy"),
        *("inputs", "runs/maspo/seed_1/manifest.json"),
    ),
    "claims without their analysis": (
        without_input("default/claims_manifest.json", "configs/claims.yaml"),
        *("inputs", "default/claims_manifest.json"),
    ),
    "the manifest of another step": (
        manifest("runs/maspo/seed_1", "step", value="evaluate"),
        *("inputs", "runs/maspo/seed_1/manifest.json"),
    ),
    "another seed of the task": (
        manifest("data", "settings", "seed", value=9),
        *("settings", "data/manifest.json"),
    ),
    "another seed of the base policy": (
        manifest("base/seed_1", "seeds", "base", value=9),
        *("settings", "base/seed_1/manifest.json"),
    ),
    "another number of threads": (
        manifest("runs/maspo/seed_1", "experiment", "threads", value=8),
        *("settings", "runs/maspo/seed_1/manifest.json"),
    ),
    "narrower intervals for one table": (
        manifest(
            "default/tables/smoke_manifest.json", "settings", "statistics", "level", value=0.5
        ),
        *("settings", "default/tables/smoke_manifest.json"),
    ),
    "fewer samples for one variant, its configuration forged": (
        then(
            lambda f: f.records("maspo/seed_1", lambda frame: frame[frame["sample"] < 3]),
            lambda f: f.manifest(
                "evaluation/maspo/seed_1", set_in("settings", "evaluate", "samples", value=3)
            ),
            lambda f: f.manifest(
                "evaluation/maspo/seed_1", set_in("experiment", "evaluate", "samples", value=3)
            ),
            Forger.hashes,
        ),
        *("settings", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "a table beside the others": (
        new_file("default/better.csv"),
        *("inventory", "default/better.csv"),
    ),
    "tables of a suite that was not reported": (
        new_file("full/tables/main.csv"),
        *("inventory", "full"),
    ),
    "an invented study": (invented_study, "inventory", "default/tables/better.csv"),
    "a drawing of another kind": (
        new_file("default/figures/smoke/better.svg"),
        *("inventory", "default/figures/smoke/better.svg"),
    ),
    "a drawing without a suffix": (
        new_file("default/figures/better"),
        *("inventory", "default/figures/better"),
    ),
    "a figure that nothing draws": (
        new_file("default/figures/smoke/better.png"),
        *("inventory", "default/figures/smoke/better.png"),
    ),
    "a figure of a study that is not there": (
        new_file("default/figures/other/avg_at_k.png"),
        *("inventory", "default/figures/other"),
    ),
    "a page that nothing makes": (
        new_file("default/pages/better.html"),
        *("inventory", "default/pages/better.html"),
    ),
    "a linked folder of drawings": (
        linked("default/figures/more", "/usr/share"),
        *("inventory", "default/figures/more"),
    ),
    "a link out of the folder": (linked("extra", "/root"), "inventory", "extra"),
    "a link to nothing": (linked("data/extra", "/nowhere"), "inventory", "data/extra"),
    "a link among the logs": (linked("logs/more", "/"), "inventory", "logs/more"),
    "a hidden file": (
        new_file("runs/maspo/seed_1/.kept"),
        *("inventory", "runs/maspo/seed_1/.kept"),
    ),
    "a hidden file beside weights": (
        new_file("runs/maspo/seed_1/policy/.kept"),
        *("inventory", "runs/maspo/seed_1/policy/.kept"),
    ),
    "a program among the logs": (new_file("logs/run.py"), "inventory", "logs/run.py"),
    "a package that shadows this one": (new_file("maspo/__init__.py"), "inventory", "maspo"),
    "a policy replaced by a text of its hash": (
        *(policy_as_text, "inventory"),
        "runs/maspo/seed_1/policy",
    ),
    "weights deleted and never named": (without_weights, "inventory", "runs/maspo/seed_1/policy"),
    "benchmarks left out": (easier_benchmarks, "inventory", "data/benchmarks/terms7.parquet"),
    "an output that no manifest states": (
        lambda f: f.manifest("runs/maspo/seed_1", lambda m: m["outputs"].pop(TIMINGS)),
        *("chain", TIMINGS),
    ),
    "an output that is a device": (
        output("/dev/zero"),
        *("chain", "runs/maspo/seed_1/manifest.json"),
    ),
    "an output outside the folder": (
        output("../../etc/passwd"),
        *("chain", "runs/maspo/seed_1/manifest.json"),
    ),
    "an input outside every folder": (
        without_input("evaluation/maspo/seed_1", "data/benchmarks/terms2.parquet", "../x"),
        *("chain", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "another end of line in a table": (
        text("default/tables/smoke.md", lambda b: b.replace(b"\n", b"\r\n")),
        *("tables", "default/tables/smoke.md"),
    ),
    "a separator of lines in a table": (
        text("default/tables/smoke.md", lambda b: b.replace(b"\n", "\u2028".encode())),
        *("tables", "default/tables/smoke.md"),
    ),
    "a form feed in the claims": (
        text("default/claims.md", lambda b: b.replace(b"\n", b"\x0c", 1)),
        *("claims", "default/claims.md"),
    ),
    "bytes that are no text in a table": (
        text("default/tables/smoke.md", lambda b: b + b"\xff"),
        *("tables", "default/tables/smoke.md"),
    ),
    "quotes around a cell": (
        text("default/tables/smoke.csv", lambda b: b.replace(b"maspo", b'"maspo"', 1)),
        *("tables", "default/tables/smoke.csv"),
    ),
    "a verdict twice in one object": (
        edit("default/claims.json", '"verdict": ', '"verdict": "supported", "verdict": '),
        *("claims", "default/claims.json"),
    ),
    **{
        f"a log with {what}": (rows(METRICS, change), "logs", METRICS)
        for what, change in {
            "a negative count": lambda row: row | {"timeout": -1, "wrong": row["wrong"] + 1},
            "a negative entropy": lambda row: row | {"entropy": -0.1},
            "a share over 1": lambda row: row | {"gated_fraction": 1.1},
            "a norm that is no number": lambda row: row | {"gradient_norm": float("nan")},
            "an infinite loss": lambda row: row | {"loss": float("inf")},
            "a mean ratio over the largest": lambda row: row | {"ratio_mean": row["ratio_max"] + 1},
            "more tokens without a gradient than gated": lambda row: (
                row | {"zero_gradient_fraction": row["gated_fraction"] + 0.01}
            ),
            "another learning rate": lambda row: row | {"lr": 2 * row["lr"]},
            "other bins": lambda row: (
                row | {"gradient_use": row["gradient_use"] | {"edges": [0.0, 1.0]}}
            ),
            "more tokens used than drawn": lambda row: (
                row | {"gradient_use": row["gradient_use"] | {"tokens": [10**6] * 12}}
            ),
            "a part larger than the whole": lambda row: (
                row | {"ratio_use": row["ratio_use"] | {"nonzero": [10**6] * 15}}
            ),
            "moves at every step": lambda row: row | {"ratio_moves": [[0] * 15] * 15},
        }.items()
    },
    **{
        f"a log with {what}, hashes forged": (rows(METRICS, change), "logs", METRICS)
        for what, change in {
            "uniform groups only, and half of them right": lambda row: row | {"uniform_groups": 8},
            "no uniform group, and too few right": lambda row: row | {"uniform_groups": 0},
            "more entropy than tokens give": lambda row: row | {"entropy": 50.0},
            "no token that learns": no_token_moved,
            "tokens of uniform groups that learn": every_token_moved,
            "a weight of no token": weight_of_nothing,
        }.items()
    },
    **{
        f"{what}, in all runs": (train_settings(change), "settings", RUN)
        for what, change in {
            "a setting that there is not": lambda m: m["settings"].update(curriculum="easy first"),
            "a setting of training that there is not": (
                lambda m: m["settings"]["train"].update(warmup=None)
            ),
            "a setting left out": lambda m: m["settings"]["train"].pop("importance_cap"),
            "a part of a manifest that there is not": lambda m: m.update(reviewed="yes"),
            "prompts dropped": lambda m: m["settings"].update(overlong_prompts_dropped=100),
        }.items()
    },
    "seconds of another run": (seconds_of_another_run, "independence", TIMINGS),
    "a second seed with the first one's log": (
        second_seed(other_numbers("runs/maspo/seed_2/metrics.jsonl")),
        *("independence", "runs/maspo/seed_2/metrics.jsonl"),
    ),
    "a second seed with the first one's learning curve": (
        second_seed(
            lambda f: f.replace("base/seed_2/metrics.jsonl", '"lr": 0.002}', '"lr": 0.001}')
        ),
        *("independence", "base/seed_2/metrics.jsonl"),
    ),
    "a second seed with most of the first one's completions": (
        second_seed(lambda f: f.records("maspo/seed_2", some_texts)),
        *("independence", "evaluation/maspo/seed_2/records.parquet"),
    ),
    "a second seed with the first one's weights but for a bit": (
        second_seed(lambda f: f.flip("runs/maspo/seed_2/policy/model.safetensors")),
        *("independence", "runs/maspo/seed_2/policy/model.safetensors"),
    ),
    "a policy of another architecture": (
        policy_of_another_architecture,
        *("fairness", "runs/maspo/seed_1/policy/config.json"),
    ),
    "a log with negative seconds": (
        rows(
            TIMINGS,
            lambda row: (
                row | {"sample": row["sample"] - row["update"] * 3, "update": 4 * row["update"]}
            ),
        ),
        *("logs", TIMINGS),
    ),
    # Below: what a stranger who had not read the checks got through at first.
    "a base policy picked among several": (
        then(
            lambda f: f.manifest("base/seed_1", set_in("experiment", "seed", value=5)),
            manifest("base/seed_1", "seeds", "base", value=5),
        ),
        *("seeds", "base/seed_1/manifest.json"),
    ),
    "an evaluation of another method's policy": (
        manifest("evaluation/maspo/seed_1", "experiment", "variant", value="grpo"),
        *("seeds", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "an evaluation of another seed's policy": (
        manifest("evaluation/maspo/seed_1", "experiment", "seed", value=5),
        *("seeds", "evaluation/maspo/seed_1/manifest.json"),
    ),
    "a suite under another suite's name": (
        manifest("default/claims_manifest.json", "experiment", "suite", value="full"),
        *("settings", "default/claims_manifest.json"),
    ),
    "other steps on the way": (
        then(
            lambda f: f.manifest(
                "evaluation/maspo/seed_1",
                set_in("experiment", "train", "snapshots", value=[1, 4]),
            ),
            snapshots(lambda frame: frame.assign(step=frame["step"].replace(2, 1))),
        ),
        *("budgets", SNAPSHOTS),
    ),
    "other problems on the way": (
        snapshots(
            lambda frame: frame.assign(problem=frame["problem"].replace(frame["problem"][0], "x"))
        ),
        *("budgets", SNAPSHOTS),
    ),
    "a policy that is a link to another run's": (
        then(
            lambda f: shutil.rmtree(f.root / "runs/maspo/seed_1/policy"),
            lambda f: (f.root / "runs/maspo/seed_1/policy").symlink_to(
                f.root / "runs/grpo/seed_1/policy"
            ),
            Forger.hashes,
        ),
        *("inventory", "runs/maspo/seed_1/policy"),
    ),
    "a pipe in place of a log": (pipe(METRICS), "inventory", METRICS),
    "a device in place of a log": (
        then(without(METRICS), linked(METRICS, "/dev/zero")),
        *("inventory", METRICS),
    ),
    "a benchmark among the training data": (
        then(
            lambda f: f.manifest(
                "runs/maspo/seed_1",
                lambda m: m["inputs"].update({"data/benchmarks/terms7.parquet": ""}),
            ),
            Forger.hashes,
        ),
        *("inputs", "runs/maspo/seed_1/manifest.json"),
    ),
    "a result among the unfinished runs": (
        new_file("checkpoints/final.csv"),
        *("inventory", "checkpoints/final.csv"),
    ),
    "a secret in Snakemake's own file": (
        new_file("runs/maspo/seed_1/policy/.snakemake_timestamp"),
        *("inventory", "runs/maspo/seed_1/policy/.snakemake_timestamp"),
    ),
    "a column that no method logs": (
        rows(METRICS, lambda row: row | {"progress": 1.0}),
        *("logs", METRICS),
    ),
    "a log with a negative width": (
        rows(METRICS, lambda row: row | {"sigma_mean": -1.0}),
        *("logs", METRICS),
    ),
    "a learning curve below zero": (
        rows("base/seed_1/metrics.jsonl", lambda row: row | {"loss": -1.0}),
        *("logs", "base/seed_1/metrics.jsonl"),
    ),
    "a learning curve of negative seconds": (
        rows("base/seed_1/timings.jsonl", lambda row: row | {"seconds": -1.0}),
        *("logs", "base/seed_1/timings.jsonl"),
    ),
    "another engine for one run": (
        manifest("runs/maspo/seed_1", "experiment", "engine", "kind", value="verl"),
        *("settings", "runs/maspo/seed_1/manifest.json"),
    ),
    "changes of the code not kept": (
        manifest(
            *("runs/maspo/seed_1", "package", "git"),
            value={"commit": "0" * 40, "clean": False, "patch": "f" * 64},
        ),
        *("environment", "runs/maspo/seed_1/manifest.json"),
    ),
    "rollouts with another verdict": (
        rollouts(lambda row: row.update(verdict="wrong" if row["reward"] else "correct")),
        *("rollouts", ROLLOUTS),
    ),
    "rollouts with another text": (
        rollouts(lambda row: row.update(text=row["text"] + "=0")),
        *("rollouts", ROLLOUTS),
    ),
    "rollouts of other groups": (
        rollouts(lambda row: row.update(group=(row["group"] + 1) % 8)),
        *("rollouts", ROLLOUTS),
    ),
    **{
        f"rollouts with another {name}": (rollouts(one_more(name)), "rollouts", ROLLOUTS)
        for name in ("seed", "reward", "advantage", "weight", "tokens")
    },
    "rollouts that are gone": (without(ROLLOUTS), "inventory", ROLLOUTS),
}
DRAWN = {
    "an edited figure": (
        lambda f: f.flip("default/figures/smoke/avg_at_k.png"),
        *("figures", "default/figures/smoke/avg_at_k.png"),
    ),
    "an edited figure for print": (
        lambda f: f.flip("default/figures/claims.pdf"),
        *("figures", "default/figures/claims.pdf"),
    ),
    "a figure without its PNG": (
        lambda f: (f.root / "default/figures/smoke/pass_at_k.png").unlink(),
        *("figures", "default/figures/smoke/pass_at_k.png"),
    ),
    "an edited page": (
        lambda f: f.replace("default/pages/smoke.html", "MASPO", "MASPO*"),
        *("figures", "default/pages/smoke.html"),
    ),
}
