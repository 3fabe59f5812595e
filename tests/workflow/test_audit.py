"""The audit against forgers: every tampering is found, and named rightly."""

import json
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from types import SimpleNamespace

import jsonschema
import pandas as pd
import pytest
from acts import (
    GRPO,
    MAIN,
    MASPO,
    TIMINGS,
    everywhere,
    manifest,
    other_method,
    rows,
    set_in,
    then,
)

from attacks import ATTACKS, DRAWN
from maspo.audit.audit import CHECKS, as_json, run_audit
from maspo.audit.finding import Severity
from maspo.audit.trace import trace
from maspo.audit.tree import PROJECT, Tree
from maspo.errors import MaspoError
from maspo.evaluation.records import read_records
from maspo.files import read_json
from maspo.steps.audit import main
from tamper import Forger

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def owner(check):
    """Return the check whose findings have this name: the others are not run, for speed."""
    return {"partial": "seeds", "gold": "verdicts", "claims": "tables"}.get(check, check)


def failures(root, skip=()):
    return run_audit(Tree(root), skip).failures


@pytest.fixture
def forger(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("MASPO_CONFIGS", str(finished.folder / "configs"))
    shutil.copytree(finished.results, tmp_path / "moved")
    return Forger(tmp_path / "moved")


def test_an_untouched_tree_passes_elsewhere(forger):
    """The folder was moved, so no path in a manifest may be where the tree was made."""
    audit = run_audit(Tree(forger.root), skip=["figures"])
    assert audit.failures == []
    report = as_json(audit)
    schema = PROJECT / "workflow/schemas/audit.schema.json"
    jsonschema.validate(report, read_json(schema))


@pytest.mark.slow
def test_checks_at_once_find_what_they_find_one_by_one(forger):
    forger.records("maspo/seed_1", lambda records: records.assign(answer="1"))
    one, two = (run_audit(Tree(forger.root), {"draws", "figures"}, jobs=jobs) for jobs in (1, 2))
    assert list(two.findings) == list(one.findings) == list(two.seconds)
    assert two.findings == one.findings
    assert {finding.check for finding in one.failures} > {"verdicts"}


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
    deleted = ("inventory", "default/figures/smoke/pass_at_k.png")
    assert found == {deleted, *((check, file) for _, check, file in DRAWN.values())}


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
    "another version of this package everywhere": (
        lambda f: [
            f.manifest(str(p.relative_to(f.root)), set_in("package", "maspo", value="0.0.1"))
            for p in f.root.rglob("*manifest.json")
        ],
        *("environment", "base/seed_1/manifest.json", "which audits"),
    ),
    "a commit that nobody knows": (
        manifest(
            "data", "package", "git", value={"commit": "0" * 40, "clean": True, "patch": None}
        ),
        *("environment", "data/manifest.json", "a commit that this checkout has"),
    ),
    "an evaluation from before its training": (
        manifest("evaluation/maspo/seed_1", "time", "started", value="2020-01-01T00:00:00+00:00"),
        *("logs", "evaluation/maspo/seed_1/manifest.json", "a start behind the end of"),
    ),
    "a job shorter than its steps": (
        then(
            lambda f: f.manifest(
                "runs/maspo/seed_1",
                lambda m: m["time"].update(finished=m["time"]["started"], seconds={}),
            ),
            rows(
                TIMINGS,
                lambda row: (
                    row
                    | {
                        "seconds": 9.0,
                        "other": row["other"] + 9.0 - row["seconds"],
                        "tokens_per_second": row["tokens_per_second"] * row["seconds"] / 9.0,
                    }
                ),
            ),
        ),
        *("logs", TIMINGS, "of the job"),
    ),
    "a policy twice": (
        other_method,
        *("seeds", "runs/maspo/seed_1/policy", "a policy of its own"),
    ),
}


# What cannot be compared is no pass: name: (attack, the check, the file, what the finding must say)
UNCHECKED = {
    "a run of another engine": (
        lambda f: [
            f.manifest(run, set_in("experiment", "engine", "kind", value="verl"))
            for run in ("runs/grpo/seed_1", "runs/maspo/seed_1")
        ],
        *("logs", "runs/maspo/seed_1", "columns of the engine verl"),
    ),
    "evaluations of another machine": (
        lambda f: [
            f.manifest(
                str(path.relative_to(f.root)), set_in("platform", "processor", value="another")
            )
            for path in f.root.glob("evaluation/*/*/manifest.json")
        ],
        *("draws", MASPO, "another platform"),
    ),
}


LATER = [("train", "rollouts_mb"), ("train", "false_negatives"), ("sampler", "decoder")]


def test_a_folder_that_an_older_version_made_has_no_failure(forger):
    """Its manifests lack what came later; it had other claims, and drew a figure otherwise."""

    def older(manifest):
        manifest["package"]["maspo"] = "0.0.1"
        for part, name in LATER:
            for settings in (manifest["experiment"], manifest["settings"]):
                settings.get(part, {}).pop(name, None)
        stated = manifest["settings"]
        for study in (stated.get("study", {}), *stated.get("studies", {}).values()):
            study.pop("unnamed", None)
        if "configs/claims.yaml" in manifest["inputs"]:
            manifest["inputs"]["configs/claims.yaml"] = "0" * 64

    for path in forger.root.rglob("*manifest.json"):
        forger.manifest(str(path.relative_to(forger.root)), older)
    for run in forger.root.glob("runs/*/seed_1"):
        (run / "rollouts.parquet").unlink()
        name = str(run.relative_to(forger.root))
        forger.manifest(name, lambda m, n=name: m["outputs"].pop(f"{n}/rollouts.parquet"))
    forger.flip("default/figures/smoke/facts.png")
    forger.hashes()
    audit = run_audit(Tree(forger.root), {"draws"})
    assert audit.failures == []
    assert audit.outcome == "not checked in full"
    told = [f for f in audit.of(Severity.NOT_CHECKED) if "made by maspo 0.0.1" in f.found]
    assert {f.check for f in told} == {"chain", "claims", "figures"}  # its commands lack settings


@pytest.mark.parametrize("name", UNCHECKED)
def test_what_could_not_be_checked_is_no_pass(forger, name):
    attack, check, file, reason = UNCHECKED[name]
    attack(forger)
    audit = run_audit(Tree(forger.root), CHECKS.keys() - {check})
    assert audit.outcome == "not checked in full"
    assert [f for f in audit.findings[check] if f.file == file and reason in f.found]


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

    def commit(change=lambda stored: None):
        manifests = [{"manifest": k, **deepcopy(m)} for k, m in Tree(forger.root).manifests.items()]
        for stored in manifests:
            change(stored)
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


def audit_command(project, *arguments):
    """Start the command as a user does."""
    command = [sys.executable, "-m", "maspo.steps.audit", *map(str, arguments)]
    environment = {**os.environ, "MASPO_CONFIGS": str(project.folder / "configs")}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture
def audit_step(forger, monkeypatch, capsys):
    """Return a function that runs the command on the forger's folder in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["audit", str(forger.root), *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        told = capsys.readouterr()
        if isinstance(code, str):  # a message, which Python prints before it exits with 1
            return SimpleNamespace(returncode=1, stdout=told.out, stderr=told.err + code)
        return SimpleNamespace(returncode=code, stdout=told.out, stderr=told.err)

    return run


def test_the_command_fails_and_names_file_expected_and_found(finished, forger):
    forger.cell(MAIN, 3, "avg_at_k", "0.99")
    for drawn in ("figures", "pages"):  # what takes most of the time
        shutil.rmtree(forger.root / "default" / drawn)
    done = audit_command(finished, forger.root)
    assert done.returncode == 1
    assert f"failure [metrics] {MAIN}: expected avg_at_k 0." in done.stdout
    assert "found 0.99" in done.stdout
    report = json.loads((forger.root / "audit/audit.json").read_text())
    assert not report["passed"]
    assert (forger.root / "audit/audit.md").read_text() in done.stdout


def test_the_chain_behind_a_cell_ends_at_configuration_and_seed(audit_step, forger):
    done = audit_step("--only", "default/smoke/maspo/average/avg_at_k")
    assert done.returncode == 0, done.stderr
    value = pd.read_csv(forger.root / MAIN).query("variant == 'maspo' and benchmark == 'average'")
    assert repr(float(value["avg_at_k"].iloc[0])) in done.stdout
    for name in (MASPO, "runs/maspo/seed_1/policy", "base/seed_1/policy", "data/train.parquet"):
        assert name in done.stdout
    for word in ("{'run': 1}", "'alpha': 0.3", "'train_problems': 512"):
        assert word in done.stdout
    assert "NOT AS STATED" not in done.stdout
    *_, last = done.stdout.splitlines()
    assert last.endswith(f"python -m maspo.steps.view {forger.root}/evaluation/maspo/seed_1")
    records = read_records(forger.root / MASPO)
    for verdict, row in records.groupby("verdict").first().iterrows():
        assert f"  {verdict}: {row['benchmark']} {row['problem']} sample" in done.stdout
        assert f"  | {row['text']}\n" in done.stdout


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("default/smoke/base/terms3/pass_at_2", "in default/tables/smoke_at_k.csv"),
        ("default/figures/smoke/pass_at_k.png", "drawn by figures/pass_at_k.py"),
        ("default/figures/claims.pdf", "drawn by figures/claims.py"),
        ("default/tables/smoke_comparisons.md", "made by step table"),
        ("default/pages/claims.html", "default/claims.json: SHA-256"),
    ],
)
def test_the_chain_behind_other_places(forger, place, told):
    chain = behind(forger, place)
    assert told in chain
    for name in ("data/train.parquet: SHA-256", "base/seed_1/policy: SHA-256"):
        assert name in chain or name.replace(": SHA-256", "': '") in chain
    assert "NOT AS STATED" not in chain
    forger.flip("base/seed_1/policy/model.safetensors")
    assert "NOT AS STATED" in behind(forger, place)


def behind(forger, place):
    """Return what `--only` prints."""
    return "\n".join(trace(Tree(forger.root), place))


def test_the_chain_behind_a_claim(forger):
    forger.replace("default/claims.json", '"study": "head_to_head"', '"study": "smoke"')
    chain = behind(forger, "default/claims/above_grpo")
    assert "MASPO has a higher Avg@32 than GRPO: not tested" in chain
    assert "default/claims.json: SHA-256" in chain
    for name in (
        MASPO,
        GRPO,
        "runs/maspo/seed_1/policy",
        "base/seed_1/policy",
        "data/train.parquet",
    ):
        assert name in chain


@pytest.mark.parametrize(
    ("place", "valid"),
    [
        ("default/smoke/mapso/average/avg_at_k", "maspo"),
        ("default/smoke/maspo/average/pass_at_5", "there are 4 samples"),
        ("default/claims/better", "above_grpo"),
    ],
)
def test_an_unknown_place_is_explained(forger, place, valid):
    with pytest.raises(MaspoError, match=valid):
        behind(forger, place)


def test_the_command_explains_an_unknown_place(audit_step, forger):
    done = audit_step("--only", "default/smoke")
    assert done.returncode == 1
    assert "suite/claims/id" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_does_not_hang_the_audit(audit_step, forger):
    """The checks behind the inventory would open it."""
    ATTACKS["a pipe in place of a log"][0](forger)
    done = audit_step()
    assert done.returncode == 1
    assert "expected a file, found a device or pipe" in done.stdout


def test_a_report_is_not_written_through_a_link(audit_step, forger, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(forger.root / "audit", ignore_errors=True)
    (forger.root / "audit").symlink_to(elsewhere)
    done = audit_step()
    assert done.returncode == 1
    assert "audit is a link" in done.stderr
    assert not list(elsewhere.iterdir())


def test_control_codes_of_a_folder_do_not_reach_the_terminal(audit_step, forger):
    statement = '"statement": "\\u001b[2J\\u0007'
    forger.replace("default/claims.json", '"statement": "', statement)
    done = audit_step("--only", "default/claims/above_grpo")
    assert "\x1b" not in done.stdout + done.stderr
    assert r"\x1b[2J" in done.stdout


def test_configurations_of_another_shape_are_named(audit_step, forger):
    def no_task(manifest):
        manifest["experiment"]["task"] = None

    forger.manifest("default/claims_manifest.json", no_task)
    done = audit_step()
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_result_and_no_forgery_is_no_finding(forger):
    (forger.root / "runs/maspo/.DS_Store").write_text("Mac")
    (forger.root / "usage.csv").write_text("rule,seconds\n")
    assert failures(forger.root, CHECKS.keys() - {"inventory"}) == []
