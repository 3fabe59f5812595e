"""What forgers do to results: acts, to be put together by the table of `attacks`."""

import json
import os
import shutil
from dataclasses import replace

import pandas as pd

from maspo.files import read_json, sha256
from maspo.seeding import derive_seed
from tamper import Forger

MASPO = "evaluation/maspo/seed_1/records.parquet"
SNAPSHOTS = "evaluation/maspo/seed_1/snapshots.parquet"
GRPO = "evaluation/grpo/seed_1/records.parquet"
MAIN = "default/tables/smoke.csv"


def first(column, value):
    """Return a change of one cell in the first row of records."""

    def change(records):
        records.loc[0, column] = value
        return records

    return change


def wrong_to_correct(records):
    row = records.index[records["verdict"] != "correct"][0]
    records.loc[row, "verdict"] = "correct"
    return records


def twice(records):
    return pd.concat([records, records[:1]])


def without_last_problem(records):
    return records[records["problem"] != records["problem"].iloc[-1]]


def gold_of_the_answer(records):
    """Declare what was answered to be right."""
    row = records.index[records["verdict"] == "wrong"][0]
    records.loc[row, ["gold", "verdict"]] = [records.loc[row, "answer"], "correct"]
    return records


def set_in(*path, value):
    def change(manifest):
        for key in path[:-1]:
            manifest = manifest[key]
        assert manifest[path[-1]] != value
        manifest[path[-1]] = value

    return change


def swap_policies(forger):
    runs = forger.root / "runs"
    shutil.move(runs / "grpo/seed_1/policy", runs / "kept")
    shutil.copytree(runs / "maspo/seed_1/policy", runs / "grpo/seed_1/policy")
    shutil.rmtree(runs / "kept")


def swap_policies_and_forge(forger):
    """The train step's manifest states the swapped policy; the evaluation's tells otherwise."""
    swap_policies(forger)
    digest = read_json(forger.root / "runs/maspo/seed_1/manifest.json")["outputs"]
    change = set_in("outputs", "runs/grpo/seed_1/policy", value=digest["runs/maspo/seed_1/policy"])
    forger.manifest("runs/grpo/seed_1", change)


def drop_seed(forger):
    for part in ("runs", "evaluation"):
        shutil.rmtree(forger.root / part / "maspo/seed_1")


def rename_variants(forger):
    """GRPO's run under MASPO's name and the other way round, with all names in the manifests."""
    for part in ("runs", "evaluation"):
        folder = forger.root / part
        (folder / "grpo").rename(folder / "other")
        (folder / "maspo").rename(folder / "grpo")
        (folder / "other").rename(folder / "maspo")
        for name, old in (("grpo", "maspo"), ("maspo", "grpo")):
            path = folder / name / "seed_1/manifest.json"
            path.write_text(path.read_text().replace(f"/{old}/seed_1", f"/{name}/seed_1"))
    forger.tables()


def leak(name):
    """Return an attack that puts a benchmark problem into a file of training problems."""

    def attack(forger):
        problem = []
        benchmark = "benchmarks/terms7.parquet"
        forger.problems(benchmark, lambda known: problem.append(known[0]) or known)
        leaked = replace(problem[0], source="modular")
        forger.problems(name, lambda known: [leaked, *known[1:]])
        forger.hashes()

    return attack


def easier_gold(forger):
    name = "benchmarks/terms2.parquet"
    forger.problems(name, lambda known: [replace(known[0], answer="0"), *known[1:]])
    forger.hashes()


def then(*acts):
    """Return an attack of several acts."""
    return lambda forger: [act(forger) for act in acts]


def records(change, run="maspo/seed_1"):
    """Return an attack on the records, with all tables and hashes forged after it."""
    return then(lambda f: f.records(run, change), Forger.tables)


def rollouts(change):
    """Return an attack on each row that a run kept of its rollouts, with all hashes forged."""
    return then(lambda f: f.rollouts(change), Forger.hashes)


def one_more(name):
    """Return a change of a row: a number that is one more, or of a token one less."""

    def change(row):
        if isinstance(row[name], list):
            row[name] = [value - 1 for value in row[name]]
        elif row[name] is not None:
            row[name] += 1

    return change


def snapshots(change, run="maspo/seed_1"):
    """Return an attack on the records of the policies on a run's way, with all hashes forged."""
    return then(lambda f: f.records(run, change, "snapshots"), Forger.hashes)


def swap_snapshots(forger):
    """The policy of step 4 for that of step 2: the run seems to have learnt faster."""
    steps = forger.root / "runs/maspo/seed_1/snapshots"
    shutil.rmtree(steps / "step_2")
    shutil.copytree(steps / "step_4", steps / "step_2")
    forger.hashes()


def manifest(folder, *path, value):
    """Return an attack on one field of a manifest, with all hashes forged after it."""
    return then(lambda f: f.manifest(folder, set_in(*path, value=value)), Forger.hashes)


def edit(name, old, new):
    """Return an attack on a text file, with all hashes forged after it."""
    return then(lambda f: f.replace(name, old, new), Forger.hashes)


def without(name):
    return lambda forger: (forger.root / name).unlink()


def new_file(name):
    def attack(forger):
        (forger.root / name).parent.mkdir(parents=True, exist_ok=True)
        (forger.root / name).write_bytes(b"unfinished")

    return attack


def cut_log(forger):
    path = forger.root / "runs/maspo/seed_1/metrics.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    forger.hashes()


def rows(name, change):
    """Return an attack on every row of a log, with all tables and hashes forged after it."""

    def attack(forger):
        path = forger.root / name
        changed = [change(json.loads(line)) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(row) + "\n" for row in changed))
        forger.tables()

    return attack


def right_answer(frame):
    """Replace a wrong completion by a right one to the same problem, seed and all."""
    for _, group in frame.groupby("problem", sort=False):
        right = group.index[group["verdict"] == "correct"]
        wrong = group.index[group["verdict"] != "correct"]
        if len(right) and len(wrong):
            for column in ("text", "tokens", "answer", "verdict"):
                frame.loc[wrong[0], column] = frame.loc[right[0], column]
            return frame
    raise AssertionError("no problem was answered both rightly and wrongly")


def without_input(folder, name, instead=None):
    """Return an attack on what a step says that it read."""

    def change(content):
        digest = content["inputs"].pop(name)
        if instead:
            content["inputs"][instead] = digest

    return then(lambda f: f.manifest(folder, change), Forger.hashes)


def everywhere(steps, *path, value):
    """Return a change of one setting in the configuration of all steps of some kinds."""

    def attack(forger):
        for file in forger.root.rglob("*manifest.json"):
            if read_json(file)["step"] in steps:
                name = str(file.relative_to(forger.root))
                forger.manifest(name, set_in("experiment", *path, value=value))
                if path[0] in read_json(file)["settings"]:
                    forger.manifest(name, set_in("settings", *path, value=value))

    return attack


def other_method(forger):
    """Show GRPO's run as MASPO's: policy, logs and records, under MASPO's own manifests."""
    for part in ("runs", "evaluation"):
        grpo, maspo = (forger.root / part / name / "seed_1" for name in ("grpo", "maspo"))
        for file in grpo.iterdir():
            if file.is_dir():
                shutil.copytree(file, maspo / file.name, dirs_exist_ok=True)
            elif file.name != "manifest.json":
                shutil.copy(file, maspo / file.name)
    forger.tables()


def text(name, change):
    """Return an attack on the bytes of a file, with all hashes forged after it."""

    def attack(forger):
        path = forger.root / name
        before = path.read_bytes()
        path.write_bytes(change(before))
        assert path.read_bytes() != before
        forger.hashes()

    return attack


def invented_study(forger):
    """A table of a study that nobody ran, with a manifest that states its hash."""
    tables = forger.root / "default/tables"
    shutil.copy(tables / "smoke.csv", tables / "better.csv")
    made_up = read_json(tables / "smoke_manifest.json")
    made_up["outputs"] = {"default/tables/better.csv": ""}
    (tables / "better_manifest.json").write_text(json.dumps(made_up))
    forger.hashes()


def policy_as_text(forger):
    """A text file of the same SHA-256 as the folder that it replaces."""
    policy = forger.root / "runs/maspo/seed_1/policy"
    files = sorted(path for path in policy.rglob("[!.]*") if path.is_file())
    listed = "".join(f"{path.relative_to(policy).as_posix()}\0{sha256(path)}\n" for path in files)
    digest = sha256(policy)
    shutil.rmtree(policy)
    policy.write_text(listed)
    assert sha256(policy) == digest


def without_weights(forger):
    """No policy to draw from again, and no manifest that ever had one."""
    shutil.rmtree(forger.root / "runs/maspo/seed_1/policy")
    forger.manifest("runs/maspo/seed_1", lambda m: m["outputs"].pop("runs/maspo/seed_1/policy"))
    forger.hashes()


def output(name, digest="0" * 64):
    """Return an attack that adds an output to a manifest."""
    return lambda f: f.manifest("runs/maspo/seed_1", lambda m: m["outputs"].update({name: digest}))


def pipe(name):
    """Return an attack that puts a pipe where a file was: who reads it waits for ever."""

    def attack(forger):
        (forger.root / name).unlink()
        os.mkfifo(forger.root / name)

    return attack


def linked(name, target):
    """Return an attack that leaves a link to a place outside."""

    def attack(forger):
        (forger.root / name).parent.mkdir(parents=True, exist_ok=True)
        (forger.root / name).symlink_to(target)

    return attack


def easier_benchmarks(forger):
    """Every benchmark but the easiest is left out, in the data and in all records."""
    for path in (forger.root / "data/benchmarks").iterdir():
        if path.stem != "terms2":
            path.unlink()
            forger.manifest("data", lambda m, n=path.name: m["outputs"].pop(f"data/benchmarks/{n}"))
    for run in ("base/seed_1", "grpo/seed_1", "maspo/seed_1"):
        for name in ("records", "snapshots")[: 1 if run.startswith("base") else 2]:
            forger.records(run, lambda frame: frame[frame["benchmark"] == "terms2"], name)
    forger.tables()


METRICS = "runs/maspo/seed_1/metrics.jsonl"
TIMINGS = "runs/maspo/seed_1/timings.jsonl"


def train_settings(change):
    """Return an attack on what the manifest of every run states of its settings."""

    def attack(forger):
        for file in sorted(forger.root.glob("runs/*/*/manifest.json")):
            forger.manifest(file.relative_to(forger.root), change)
        forger.hashes()

    return attack


def use(row, name, **parts):
    """Return a row of a log with other counts of the tokens that an advantage moves."""
    return row | {name: row[name] | parts}


def no_token_moved(row):
    """Say that no token had an advantage, though there are groups whose rewards differ."""
    row = use(row, "gradient_use", **dict.fromkeys(("tokens", "nonzero", "weight"), [0] * 12))
    row = use(row, "ratio_use", **dict.fromkeys(("tokens", "nonzero", "weight"), [0] * 15))
    return row | ({"ratio_moves": [[0] * 15] * 15} if "ratio_moves" in row else {})


def every_token_moved(row):
    """Say that every token had an advantage, though the rewards of most groups are equal."""
    for name, bins in (("gradient_use", 12), ("ratio_use", 15)):
        row = use(row, name, tokens=[row["tokens"], *[0] * (bins - 1)])
        row = use(row, name, nonzero=[0] * bins, weight=[0.0] * bins)
    moves = [[row["tokens"], *[0] * 14], *[[0] * 15] * 14]
    return row | ({"ratio_moves": moves} if "ratio_moves" in row else {})


def weight_of_nothing(row):
    """Give a bin without tokens a weight."""
    bins = row["gradient_use"]["tokens"]
    weight = [
        w + (count == 0) for w, count in zip(row["gradient_use"]["weight"], bins, strict=True)
    ]
    return use(row, "gradient_use", weight=weight)


def seconds_of_another_run(forger):
    """GRPO's seconds in MASPO's log, which makes MASPO as cheap; speeds follow its tokens."""
    mine, other = (
        [json.loads(line) for line in (forger.root / name).read_text().splitlines()]
        for name in (METRICS, TIMINGS.replace("maspo", "grpo"))
    )
    taken = [
        row | {"tokens_per_second": logged["tokens"] / row["seconds"]}
        for row, logged in zip(other, mine, strict=True)
    ]
    (forger.root / TIMINGS).write_text("".join(json.dumps(row) + "\n" for row in taken))
    forger.tables()


def another_seed(forger, folder):
    """Say that what lies in a folder of seed 1 is seed 2's as well, with all names and seeds."""
    one = forger.root / folder / "seed_1"
    shutil.copytree(one, one.with_name("seed_2"))
    name = f"{folder}/seed_2/manifest.json"
    forger.replace_all(name, "/seed_1", "/seed_2")
    forger.manifest(name, set_in("experiment", "seed", value=2))
    forger.manifest(name, lambda m: m.update(seeds=dict.fromkeys(m["seeds"], 2)))


def reseeded(frame):
    """Return the records of seed 1 with the seeds that seed 2 draws from."""
    pairs = zip(frame["problem"], frame["sample"], strict=True)
    return frame.assign(seed=[derive_seed(2, "evaluate", p, int(s)) for p, s in pairs])


def second_seed(change):
    """Return an attack that shows all of seed 1 as seed 2 too, after a change of it."""

    def attack(forger):
        for folder in ("runs/grpo", "runs/maspo", "base"):
            another_seed(forger, folder)
        for variant in ("base", "grpo", "maspo"):
            another_seed(forger, f"evaluation/{variant}")
            forger.records(f"{variant}/seed_2", reseeded)
        for name in ("default/claims_manifest.json", "default/tables/smoke_manifest.json"):
            forger.manifest(name, set_in("experiment", "seeds", value=2))
        change(forger)
        forger.hashes()

    return attack


def other_numbers(name):
    """Return a change of every number of a log but one: no hash and hardly a line is the same."""

    def change(forger):
        path = forger.root / name
        logged = [json.loads(line) for line in path.read_text().splitlines()]
        for row in logged:
            row["loss"] += 1e-9
            row["gradient_norm"] *= 1.01
        path.write_text("".join(json.dumps(row) + "\n" for row in logged))

    return change


def some_texts(frame):
    """Write other texts for a third of the records."""
    return frame.assign(text=frame["text"].where(frame.index % 3 > 0, frame["text"] + "="))


def policy_of_another_architecture(forger):
    """Say of a trained policy that it has more heads than the base policy that it began as."""
    path = forger.root / "runs/maspo/seed_1/policy/config.json"
    config = read_json(path)
    config["rope_theta"] = 5.0
    path.write_text(json.dumps(config))
    forger.hashes()
