"""Runs of different seeds are different draws: no log, record or policy is another's, or nearly.

A forger who has one run can show it as many. Equal hashes are too easy to avoid, so what is
compared are numbers that chance does not give twice.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree
from maspo.errors import DataError
from maspo.files import read_json_lines

DIGITS = 9  # of a logged mean: two runs agree in one step and nine digits once in 10^9
DEVIATIONS = 8.0  # matches beyond chance that no honest pair of seeds has
LEAST = 2.0
SHARE = 0.5  # of equal weights: runs that start from different draws share none
KEYS = ["benchmark", "problem", "sample"]


def check_independence(tree: Tree) -> Iterator[Finding]:
    """Look for two seeds that are one."""
    yield from same_steps(tree)
    yield from same_texts(tree)
    yield from same_weights(tree)


def same_steps(tree: Tree) -> Iterator[Finding]:
    """Look for a step of two runs with the same mean entropy and tokens, or the same seconds.

    Methods of one seed begin alike, so entropies are compared between seeds; a clock never repeats
    itself. The learning curves of base policies are compared by their loss.
    """
    seen: dict[tuple, tuple[str, int]] = {}
    for name, seed, rows in logs(tree):
        for row in rows:
            for kind, key in traces(name, row):
                other, of = seen.setdefault(key, (name, seed))
                if other != name and (of != seed or kind == "seconds"):
                    wanted = f"{kind} of its own at step {row['step']}"
                    yield Finding("independence", name, wanted, f"those of {other}")
                    break
            else:
                continue
            break  # the first step tells it


def logs(tree: Tree) -> Iterator[tuple[str, int, list[dict]]]:
    """Yield (file, seed, rows) of every log that can be read."""
    folders = [(tree.layout.run(*run), run[1]) for run in tree.declared]
    folders += [(base, int(base.name.removeprefix("seed_"))) for base in bases(tree)]
    for folder, seed in folders:
        for file in ("metrics.jsonl", "timings.jsonl"):
            if (path := folder / file).is_file():
                try:
                    yield tree.name(path), seed, read_json_lines(path)
                except DataError:
                    continue  # the check of the logs names it


def traces(name: str, row: dict) -> Iterator[tuple[str, tuple]]:
    """Yield what chance does not give twice in a row of a log: (what it is, its value)."""
    step = row.get("step")
    if name.startswith("runs/") and row.get("entropy"):
        yield "a mean entropy", ("entropy", step, rounded(row["entropy"]), row.get("tokens"))
    elif name.startswith("base/") and row.get("loss"):
        yield "a loss", ("loss", step, rounded(row["loss"]))
    elif row.get("seconds"):
        yield "seconds", ("seconds", step, row["seconds"], row.get("sample"))


def rounded(number: float) -> str:
    """Return a number without its last digits, which a forger may have changed."""
    return f"{number:.{DIGITS}g}"


def bases(tree: Tree) -> list[Path]:
    """Return the folders of the base policies that runs start from, each once."""
    return list(dict.fromkeys(tree.base(seed) for _, seed in tree.declared))


def same_texts(tree: Tree) -> Iterator[Finding]:
    """Look for two seeds of a variant whose completions agree, sample by sample, beyond chance.

    A sample of one seed and the same sample of another are independent draws. Which of them meet is
    then as if one seed's samples of each problem had been shuffled: that gives the agreement to
    expect, however sure the policies are.
    """
    seeds: dict[str, list[int]] = {}
    for variant, seed in tree.evaluated:
        seeds.setdefault(variant, []).append(seed)
    for variant, several in seeds.items():
        frames = {}
        for seed in several if len(several) > 1 else []:
            with suppress(DataError):  # the check of the chain names it
                frames[seed] = tree.records_of(variant, seed)[[*KEYS, "text"]]
        drawn = dict(zip(frames, texts(list(frames.values())), strict=True))
        for (a, one), (b, other) in combinations(drawn.items(), 2):
            if (beyond := agreement(one, other)) > DEVIATIONS:
                name = tree.name(tree.records_file(variant, b))
                wanted = f"completions drawn independently of those of seed {a}"
                found = f"samples that agree {beyond:.1f} standard deviations beyond chance"
                yield Finding("independence", name, wanted, found)


def texts(frames: Sequence[pd.DataFrame]) -> NDArray[np.int64]:
    """Return a number for each text, (seeds, problems, samples), one for equal texts of a problem.

    Empty where the seeds do not have the same problems and samples, which other checks name.
    """
    nothing = np.zeros((len(frames), 0, 1), dtype=np.int64)
    if not all(frame[KEYS].equals(frames[0][KEYS]) for frame in frames):
        frames = [frame.sort_values(KEYS, ignore_index=True) for frame in frames]
        if not all(frame[KEYS].equals(frames[0][KEYS]) for frame in frames):
            return nothing
    if not frames or frames[0].empty:
        return nothing
    problem = frames[0].groupby(KEYS[:2], sort=False).ngroup().to_numpy()
    problems = problem.max() + 1
    samples = len(problem) // problems
    if not np.array_equal(problem, np.repeat(np.arange(problems), samples)):
        return nothing
    codes, known = pd.factorize(pd.concat([frame["text"] for frame in frames]))
    codes += np.tile(problem, len(frames)) * len(known)
    return pd.factorize(codes)[0].reshape(len(frames), problems, samples)


def agreement(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return how many standard deviations two seeds agree beyond chance; each (problems, samples).

    With counts a and b of each text, n samples of a problem agree in sum(a b) / n places when they
    are shuffled, with the variance of a random permutation (Hoeffding 1951). A few rare
    matches are no copy, so a deviation is at least `LEAST` samples.
    """
    samples = one.shape[1]
    if not one.size:
        return 0.0
    top = int(max(one.max(), other.max())) + 1
    counts = [np.bincount(drawn.ravel(), minlength=top) for drawn in (one, other)]
    # Codes belong to one problem, so sums over a problem's texts are sums over its codes.
    problem = np.zeros(top, dtype=np.int64)
    for drawn in (one, other):
        problem[drawn] = np.arange(len(drawn))[:, None]
    a, b = counts
    pairs, more = (
        np.bincount(problem, weights, minlength=len(one)) for weights in (a * b, a * b * (a + b))
    )
    expected = pairs.sum() / samples
    variance = (pairs - more / samples + (pairs / samples) ** 2).sum() / max(samples - 1, 1)
    found = int((one == other).sum())
    return float((found - expected) / max(np.sqrt(max(variance, 0.0)), LEAST))


def same_weights(tree: Tree) -> Iterator[Finding]:
    """Look for policies built here from different seeds that share most of their weights."""
    built = {
        seed
        for _, seed in tree.declared
        if (manifest := tree.manifest(tree.base(seed))) and manifest["settings"]["kind"] == "built"
    }
    seeds: dict[str, list[tuple[int, Path]]] = {}
    for variant, seed in tree.evaluated:
        if seed in built:
            path = tree.layout.policy(variant, seed) / "model.safetensors"
            seeds.setdefault(variant, []).append((seed, path))
    for places in seeds.values():
        read = [(s, p, weights(p)) for s, p in places if p.is_file()] if len(places) > 1 else []
        for (a, _, one), (_, path, other) in combinations(read, 2):
            if one.shape == other.shape and (share := float((one == other).mean())) > SHARE:
                wanted = f"weights of a run that began elsewhere than seed {a}"
                found = f"{share:.1%} equal ones"
                yield Finding("independence", tree.name(path), wanted, found)


def weights(path: Path) -> NDArray[np.uint32]:
    """Return the numbers of a safetensors file as words of four bytes, behind its header."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    json.loads(content[8:start])  # ValueError where it is no such file
    return np.frombuffer(content[start : start + (len(content) - start) // 4 * 4], dtype=np.uint32)
