"""The audit against forgers: every tampering is found, and named rightly."""

import json
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace

import jsonschema
import pandas as pd
import pytest
from tamper import Forger

from maspo.audit.audit import CHECKS, as_json, run_audit
from maspo.audit.tree import PROJECT, Tree
from maspo.files import read_json

pytestmark = pytest.mark.workflow
MASPO = "evaluation/maspo/seed_1/records.parquet"
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


def leak(forger):
    problem = []
    forger.problems("benchmarks/chain8.parquet", lambda known: problem.append(known[0]) or known)
    leaked = replace(problem[0], source="chain")
    forger.problems("train.parquet", lambda known: [leaked, *known[1:]])
    forger.hashes()


def easier_gold(forger):
    name = "benchmarks/chain2.parquet"
    forger.problems(name, lambda known: [replace(known[0], answer="0"), *known[1:]])
    forger.hashes()


def then(*acts):
    """Return an attack of several acts."""
    return lambda forger: [act(forger) for act in acts]


def records(change, run="maspo/seed_1"):
    """Return an attack on the records, with all tables and hashes forged after it."""
    return then(lambda f: f.records(run, change), Forger.tables)


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


METRICS = "runs/maspo/seed_1/metrics.jsonl"
TIMINGS = "runs/maspo/seed_1/timings.jsonl"
# name: (attack, the check that must find it, the file that it must name)
ATTACKS = {
    "a flipped bit in records": (lambda f: f.flip(MASPO), "chain", MASPO),
    "a flipped bit in weights": (
        lambda f: f.flip("base/policy/model.safetensors"),
        *("chain", "base/policy"),
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
                for run in ("base/seed_0", "grpo/seed_1", "maspo/seed_1")
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
    "a leaked benchmark problem": (leak, "leaks", "data/train.parquet"),
    "an easier benchmark, hashes forged": (
        easier_gold,
        *("data", "data/benchmarks/chain2.parquet"),
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
            lambda f: f.replace("base/metrics.jsonl", '{"step": 10,', '{"step": 11,'), Forger.hashes
        ),
        *("logs", "base/metrics.jsonl"),
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
        without_input("runs/maspo/seed_1", "base/policy"),
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
        manifest("base", "seeds", "supervised", value=9),
        *("settings", "base/manifest.json"),
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
        *("chain", "default/better.csv"),
    ),
    "tables of a suite that was not reported": (
        new_file("full/tables/main.csv"),
        *("chain", "full/tables/main.csv"),
    ),
    "changes of the code not kept": (
        manifest(
            *("runs/maspo/seed_1", "package", "git"),
            value={"commit": "0" * 40, "clean": False, "patch": "f" * 64},
        ),
        *("environment", "runs/maspo/seed_1/manifest.json"),
    ),
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
    "a figure that nothing draws": (
        new_file("default/figures/smoke/better.png"),
        *("figures", "default/figures/smoke/better"),
    ),
    "a figure of a study that is not there": (
        new_file("default/figures/other/avg_at_k.png"),
        *("figures", "default/figures/other/avg_at_k"),
    ),
    "an edited page": (
        lambda f: f.replace("default/pages/smoke.html", "MASPO", "MASPO*"),
        *("figures", "default/pages/smoke.html"),
    ),
}


def owner(check):
    """Return the check whose findings have this name: the others are not run, for speed."""
    return {"partial": "seeds", "gold": "verdicts", "claims": "tables"}.get(check, check)


def failures(root, skip=()):
    return run_audit(Tree(root), skip).failures


@pytest.fixture
def forger(project, tmp_path, monkeypatch):
    monkeypatch.setenv("MASPO_CONFIGS", str(project.folder / "configs"))
    shutil.copytree(project.results, tmp_path / "moved")
    return Forger(tmp_path / "moved")


def test_an_untouched_tree_passes_elsewhere(forger):
    """The folder was moved, so no path in a manifest may be where the tree was made."""
    audit = run_audit(Tree(forger.root), skip=["figures"])
    assert audit.failures == []
    report = as_json(audit)
    schema = PROJECT / "workflow/schemas/audit.schema.json"
    jsonschema.validate(report, read_json(schema))


def test_forging_alone_changes_nothing(forger):
    """What the attacks below find is the tampering, not the forger's own traces."""
    forger.records("maspo/seed_1", lambda records: records)
    forger.tables()
    assert failures(forger.root, ["figures"]) == []


@pytest.mark.parametrize("name", ATTACKS)
def test_tampering_is_found_and_named(forger, name):
    attack, check, file = ATTACKS[name]
    attack(forger)
    found = {(f.check, f.file) for f in failures(forger.root, CHECKS.keys() - {owner(check)})}
    assert (check, file) in found


def test_figures_and_pages_are_drawn_again(forger):
    """Both at once, since drawing takes most of the audit's time; the other figures are right."""
    for attack, *_ in DRAWN.values():
        attack(forger)
    found = {(f.check, f.file) for f in failures(forger.root)}
    assert found == {(check, file) for _, check, file in DRAWN.values()}


# What is allowed, but must be told: name: (attack, the check, the file, what the note must say)
NOTED = {
    "narrower intervals": (
        then(everywhere({"table", "claims"}, "statistics", "level", value=0.5), Forger.tables),
        *("settings", "configs/scale/smoke.yaml", "statistics.level=0.95"),
    ),
    "another commit for one step": (
        manifest("runs/maspo/seed_1", "package", "git", "commit", value="1" * 40),
        *("environment", "runs/maspo/seed_1/manifest.json", "one commit"),
    ),
    "another version of a package for one step": (
        manifest("runs/maspo/seed_1", "packages", "math-verify", value="0.1"),
        *("environment", "runs/maspo/seed_1/manifest.json", "math-verify 0.9.0"),
    ),
    "a policy twice": (
        other_method,
        *("seeds", "runs/maspo/seed_1/policy", "a policy of its own"),
    ),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_is_allowed_is_noted(forger, name):
    attack, check, file, expected = NOTED[name]
    attack(forger)
    findings = run_audit(Tree(forger.root), CHECKS.keys() - {check}).findings[check]
    assert all(finding.severity == "note" for finding in findings)
    assert [f for f in findings if f.file == file and expected in f.expected]


def test_one_policy_for_two_seeds_is_found(forger):
    """Two seeds draw other prompts and other completions."""
    run = forger.root / "runs/maspo/seed_1"
    shutil.copytree(run, run.with_name("seed_2"))
    two = run.with_name("seed_2") / "manifest.json"
    two.write_text(two.read_text().replace("maspo/seed_1", "maspo/seed_2"))
    forger.manifest("default/claims_manifest.json", set_in("experiment", "seeds", value=2))
    found = {(f.check, f.file) for f in failures(forger.root, CHECKS.keys() - {"seeds"})}
    assert ("seeds", "runs/maspo/seed_2/policy") in found


@pytest.fixture
def reference(forger, tmp_path, monkeypatch):
    """Commit the forger's results as the reference; return a function that edits its manifests."""
    monkeypatch.setattr("maspo.audit.reference.PROJECT", tmp_path)
    folder = tmp_path / "reference" / "smoke"
    shutil.copytree(forger.root / "default/tables", folder / "tables")

    def commit(change=lambda manifest: None):
        manifests = [{"manifest": k, **deepcopy(m)} for k, m in Tree(forger.root).manifests.items()]
        for manifest in manifests:
            change(manifest)
        (folder / "manifests.jsonl").write_text("".join(json.dumps(m) + "\n" for m in manifests))

    return commit


def findings_on_reference(root):
    return run_audit(Tree(root), CHECKS.keys() - {"reference"}).findings["reference"]


def test_the_reference_is_compared_bit_by_bit_on_its_platform(forger, reference):
    reference()
    assert findings_on_reference(forger.root) == []

    def other_policy(manifest):
        if manifest["manifest"] == "runs/maspo/seed_1/manifest.json":
            manifest["outputs"]["runs/maspo/seed_1/policy"] = "0" * 64

    reference(other_policy)
    (found,) = findings_on_reference(forger.root)
    assert (found.file, found.severity) == ("runs/maspo/seed_1/policy", "failure")


def test_an_edited_reference_is_found(forger, reference):
    def of_full(manifest):
        if manifest["step"] == "table":
            manifest["outputs"] = {
                f"full/{name.removeprefix('default/')}": digest
                for name, digest in manifest["outputs"].items()
            }

    reference(of_full)
    assert findings_on_reference(forger.root) == []
    table = forger.root.parent / "reference/smoke/tables/smoke.csv"
    table.write_text(table.read_text().replace("maspo", "mapso", 1))
    (found,) = findings_on_reference(forger.root)
    assert (found.file, found.severity) == ("reference/smoke/tables/smoke.csv", "failure")


def test_the_reference_is_compared_by_its_intervals_elsewhere(forger, reference):
    def elsewhere(manifest):
        manifest["platform"]["processor"] = "another"

    reference(elsewhere)
    (alone,) = findings_on_reference(forger.root)
    assert "another" in alone.found  # platform: intervals, and no cell lies outside
    forger.cell(MAIN, 3, "avg_at_k", "0.99")
    _, outside = findings_on_reference(forger.root)
    assert (outside.file, outside.found, outside.severity) == (MAIN, "0.99", "note")


def audit_step(project, *arguments):
    command = [sys.executable, "-m", "maspo.steps.audit", *map(str, arguments)]
    environment = {**os.environ, "MASPO_CONFIGS": str(project.folder / "configs")}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_command_fails_and_names_file_expected_and_found(project, forger):
    forger.cell(MAIN, 3, "avg_at_k", "0.99")
    done = audit_step(project, forger.root)
    assert done.returncode == 1
    assert f"failure [metrics] {MAIN}: expected avg_at_k 0." in done.stdout
    assert "found 0.99" in done.stdout
    report = json.loads((forger.root / "audit/audit.json").read_text())
    assert not report["passed"]
    assert (forger.root / "audit/audit.md").read_text() in done.stdout


def test_the_chain_behind_a_cell_ends_at_configuration_and_seed(project, forger):
    done = audit_step(project, forger.root, "--only", "default/smoke/maspo/average/avg_at_k")
    assert done.returncode == 0, done.stderr
    value = pd.read_csv(forger.root / MAIN).query("variant == 'maspo' and benchmark == 'average'")
    assert repr(float(value["avg_at_k"].iloc[0])) in done.stdout
    for name in (MASPO, "runs/maspo/seed_1/policy", "base/policy", "data/train.parquet"):
        assert name in done.stdout
    for word in ("{'run': 1}", "'alpha': 0.3", "'train_problems': 512"):
        assert word in done.stdout
    assert "NOT AS STATED" not in done.stdout


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("default/smoke/base/chain3/pass_at_2", "in default/tables/smoke_at_k.csv"),
        ("default/figures/smoke/pass_at_k.png", "drawn by figures/pass_at_k.py"),
        ("default/figures/claims.pdf", "drawn by figures/claims.py"),
        ("default/tables/smoke_comparisons.md", "made by step table"),
        ("default/pages/claims.html", "default/claims.json: SHA-256"),
    ],
)
def test_the_chain_behind_other_places(project, forger, place, told):
    done = audit_step(project, forger.root, "--only", place)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    for name in ("data/train.parquet: SHA-256", "base/policy: SHA-256"):
        assert name in done.stdout or name.replace(": SHA-256", "': '") in done.stdout
    assert "NOT AS STATED" not in done.stdout
    forger.flip("base/policy/model.safetensors")
    assert "NOT AS STATED" in audit_step(project, forger.root, "--only", place).stdout


def test_the_chain_behind_a_claim(project, forger):
    forger.replace("default/claims.json", '"study": "main"', '"study": "smoke"')
    done = audit_step(project, forger.root, "--only", "default/claims/above_grpo")
    assert done.returncode == 0, done.stderr
    assert "MASPO has a higher Avg@32 than GRPO: not tested" in done.stdout
    assert "default/claims.json: SHA-256" in done.stdout
    for name in (MASPO, GRPO, "runs/maspo/seed_1/policy", "base/policy", "data/train.parquet"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("place", "valid"),
    [
        ("default/smoke/mapso/average/avg_at_k", "maspo"),
        ("default/smoke/maspo/average/pass_at_5", "there are 4 samples"),
        ("default/claims/better", "above_grpo"),
        ("default/smoke", "suite/claims/id"),
    ],
)
def test_an_unknown_place_is_explained(project, forger, place, valid):
    done = audit_step(project, forger.root, "--only", place)
    assert done.returncode == 1
    assert valid in done.stderr
    assert "Traceback" not in done.stderr


def test_snakemake_audit_is_a_target(project):
    assert "rule audit" in project.snakemake("--dry-run", "audit")
