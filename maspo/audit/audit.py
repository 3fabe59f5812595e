"""All checks over one results folder, and their report."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from maspo.audit.chain import check_chain
from maspo.audit.configurations import check_settings
from maspo.audit.data import check_data, check_leaks
from maspo.audit.downloads import check_downloads
from maspo.audit.draws import check_draws
from maspo.audit.environment import check_environment
from maspo.audit.finding import Finding, Severity
from maspo.audit.independence import check_independence
from maspo.audit.inputs import check_inputs
from maspo.audit.inventory import DEVICE, check_inventory, digest
from maspo.audit.logs import check_logs
from maspo.audit.metrics import check_metrics
from maspo.audit.reference import check_reference
from maspo.audit.rollouts import check_rollouts
from maspo.audit.runs import check_budgets, check_fairness, check_seeds
from maspo.audit.tables import check_figures, check_tables
from maspo.audit.tree import Tree
from maspo.audit.verdicts import check_verdicts
from maspo.errors import DataError, MaspoError
from maspo.inert import fenced, in_markdown

SLOW = {"draws"}  # as slow as the evaluations: run when they are asked for
FIRST = {"inventory", "chain"}  # they find devices, which whoever reads waits for
LONGEST = ("draws", "figures", "rollouts", "tables", "verdicts")  # the first to be begun
CHECKS: dict[str, tuple[str, Callable[[Tree], Iterator[Finding]]]] = {
    "inventory": ("there is what the configuration makes, and nothing else", check_inventory),
    "chain": ("every file is what a step wrote; every input is a step's output", check_chain),
    "inputs": ("every step read what a step of its kind reads", check_inputs),
    "settings": ("one configuration is behind all steps", check_settings),
    "seeds": ("every declared run is there, whole, with its seed", check_seeds),
    "independence": ("two seeds are two draws", check_independence),
    "budgets": ("steps, samples, their seeds and lengths are those of the settings", check_budgets),
    "logs": ("logs agree with themselves, their settings and their method", check_logs),
    "fairness": ("runs differ in method, named conditions and seed only", check_fairness),
    "data": ("problems are what the task's settings and seed give", check_data),
    "downloads": ("downloaded files are the pinned ones", check_downloads),
    "leaks": ("no benchmark problem is a training problem", check_leaks),
    "verdicts": ("verdicts follow from the completions' text", check_verdicts),
    "rollouts": ("rollouts that runs kept are the drawn ones, with their numbers", check_rollouts),
    "draws": ("completions are what their policy gives when drawn again", check_draws),
    "metrics": ("the metrics follow from the verdicts, by pandas alone", check_metrics),
    "tables": ("tables, intervals and claims are what the records give", check_tables),
    "figures": ("figures and pages are what the tables give", check_figures),
    "environment": ("one environment, the pinned one, from a clean tree", check_environment),
    "reference": ("the results agree with the committed reference", check_reference),
}


STATUS = {"passed": 0, "failed": 1, "not checked in full": 2}  # exit status by outcome


@dataclass(frozen=True)
class Audit:
    """What the checks found in one folder, and how long each took."""

    tree: Tree
    findings: dict[str, list[Finding]]
    seconds: dict[str, float]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what was audited."""
        return digest(self.tree)

    def of(self, severity: Severity) -> list[Finding]:
        """Return the findings of one severity."""
        everything = [f for findings in self.findings.values() for f in findings]
        return [f for f in everything if f.severity is severity]

    @property
    def failures(self) -> list[Finding]:
        """The findings that make the audit fail."""
        return self.of(Severity.FAILURE)

    @property
    def outcome(self) -> str:
        """One of the keys of `STATUS`. A check that could not run is not a pass."""
        if self.failures:
            return "failed"
        return "not checked in full" if self.of(Severity.NOT_CHECKED) else "passed"


def run_audit(tree: Tree, skip: Collection[str] = (), jobs: int = 1) -> Audit:
    """Run every check but those of the names in `skip`, so many at once as there are `jobs`.

    With more than one job each has a process of its own, which reads the folder anew.

    Raises:
        DataError: the folder holds no manifest, or one that is not JSON.
    """
    try:
        reported = tree.suites and tree.evaluated
    except MaspoError:
        raise
    except Exception as error:  # a forged manifest may hold any type anywhere
        raise DataError(
            f"{tree.root}: the configuration in its manifests cannot be read: {error!r}"
        ) from error
    if not reported:
        wanted = "a reported suite (claims_manifest.json)"
        finding = Finding("chain", str(tree.root), wanted, "none")
        return Audit(tree, {"chain": [finding]}, {"chain": 0.0})
    asked = [name for name in CHECKS if name not in skip]
    done: dict[str, tuple[list[Finding], float]] = {}
    for name in asked if jobs == 1 else [name for name in asked if name in FIRST]:
        done[name] = timed(name, tree)
        if any(finding.found == DEVICE for finding in done[name][0]):
            asked = list(done)  # whoever reads one waits for ever, or reads without an end
            break
    if left := sorted(set(asked) - set(done), key=lambda name: (*LONGEST, name).index(name)):
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            running = {name: pool.submit(timed_at, name, tree.root) for name in left}
            done |= {name: job.result() for name, job in running.items()}
    return Audit(
        tree,
        {name: done[name][0] for name in asked},
        {name: done[name][1] for name in asked},
    )


def timed(name: str, tree: Tree) -> tuple[list[Finding], float]:
    """Return what a check finds, and the seconds that it took."""
    start = time.perf_counter()
    findings = list(guarded(name, tree, CHECKS[name][1]))
    return findings, time.perf_counter() - start


def timed_at(name: str, root: Path) -> tuple[list[Finding], float]:
    """Do the same in a process of its own."""
    return timed(name, _tree(root))


@cache
def _tree(root: Path) -> Tree:
    gc.freeze()  # modules stay: they need not be looked through for garbage again and again
    return Tree(root)


def guarded(name: str, tree: Tree, check: Callable[[Tree], Iterator[Finding]]) -> Iterator[Finding]:
    """Run one check; what it cannot read is a finding and does not hide what others find."""
    try:
        yield from check(tree)
    except Exception as error:  # a forged file can break any line that reads it
        reason = f"{type(error).__name__}: {error}"
        yield Finding(name, str(tree.root), "files that this check can read", reason)


def as_json(audit: Audit) -> dict[str, Any]:
    """Return the audit in the form of ``workflow/schemas/audit.schema.json``."""
    return {
        "results": str(audit.tree.root),
        "verdict": audit.outcome,
        "passed": audit.outcome == "passed",
        "digest": audit.digest,
        "manifests": len(audit.tree.manifests),
        "suites": list(audit.tree.suites),
        "runs": len(audit.tree.declared) if audit.tree.suites else 0,
        "checks": [
            {
                "name": name,
                "what": CHECKS[name][0],
                "passed": Audit(audit.tree, {name: findings}, {}).outcome == "passed",
                "seconds": round(audit.seconds[name], 3),
                "findings": [finding.as_dict() for finding in findings],
            }
            for name, findings in audit.findings.items()
        ],
    }


def as_markdown(audit: Audit) -> str:
    """Return the audit for readers."""
    report = as_json(audit)
    lines = [
        f"# Audit of {in_markdown(report['results'])}: {audit.outcome}",
        "",
        f"{report['runs']} runs, {report['manifests']} manifests, suites {report['suites']}; "
        f"SHA-256 of what was audited: {report['digest']}.",
        "",
        "| check | what it asks | failures | not checked | notes | seconds |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for check in report["checks"]:
        found = Counter(finding["severity"] for finding in check["findings"])
        counts = " | ".join(str(found[severity]) for severity in Severity)
        lines.append(f"| {check['name']} | {check['what']} | {counts} | {check['seconds']:.1f} |")
    asked = {check["name"] for check in report["checks"]}
    lines += [
        f"| {name} | {what} | not asked for | | | |"
        for name, (what, _) in CHECKS.items()
        if name not in asked
    ]
    found = [str(finding) for findings in audit.findings.values() for finding in findings]
    if found:  # as plain text: cells and completions may hold Markdown
        lines += ["", fenced("\n".join(found))]
    return "\n".join(lines) + "\n"
