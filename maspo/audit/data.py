"""The problems are those of the settings; no benchmark problem is a training problem."""

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree
from maspo.config import Task
from maspo.tasks import Problem, read_problems
from maspo.tasks.kinds import TaskKind, task_kind


def check_data(tree: Tree) -> Iterator[Finding]:
    """Make the problems again from their settings; those downloaded are a matter of `downloads`."""
    task = next(iter(tree.suites.values())).task
    kind = task_kind(task)
    if not kind.repeatable:
        return
    made = kind.make(task)
    files = {"train": made.training, **made.others}
    files |= {f"benchmarks/{name}": problems for name, problems in made.benchmarks.items()}
    for name, problems in files.items():
        path = tree.layout.data / f"{name}.parquet"
        for i, (wanted, found) in enumerate(zip_longest(problems, read_problems(path))):
            if wanted != found:
                place = f"{wanted} as problem {i}, as the settings of the task give"
                yield Finding("data", tree.name(path), place, str(found))
                break  # what follows may only be shifted
    for name, text in made.texts.items():
        path = tree.layout.data / name
        yield from differing(tree, path, text)
    if kind.teach is not None:
        yield from taught(tree, task, kind)


def taught(tree: Tree, task: Task, kind: TaskKind) -> Iterator[Finding]:
    """Draw again what each base policy was taught, where it was trained here."""
    for folder in dict.fromkeys(tree.base(seed) for _, seed in tree.declared):
        manifest = tree.manifest(folder)
        if manifest is None or not manifest["settings"].get("supervised"):
            continue  # the check of the chain names a manifest that is not there
        settings = tree.experiment(manifest).model.supervised
        lessons = kind.teach(task, settings, manifest["seeds"]["base"])
        yield from differing(tree, folder / "knowledge.csv", lessons.table)


def differing(tree: Tree, path: Path, text: str) -> Iterator[Finding]:
    """Compare a table with the text that the settings give."""
    if not path.is_file() or path.read_bytes() != text.encode():
        yield Finding("data", tree.name(path), "the table that the settings give", "another")


def check_leaks(tree: Tree) -> Iterator[Finding]:
    """Compare the questions of training and benchmarks, without case, spaces and punctuation."""
    files = sorted(tree.layout.data.glob("*.parquet"))
    training = {key(problem): file.name for file in files for problem in read_problems(file)}
    for path in sorted((tree.layout.data / "benchmarks").glob("*.parquet")):
        for problem in read_problems(path):
            if key(problem) in training:
                wanted = f"{path.stem} problem {problem.id} not in the training problems"
                yield Finding(
                    "leaks",
                    f"data/{training[key(problem)]}",
                    wanted,
                    problem.question,
                )


def key(problem: Problem) -> str:
    """Return what identifies a question: operators count, spacing and case do not."""
    return re.sub(r"\s+", "", "".join(m["content"] for m in problem.messages)).casefold()
