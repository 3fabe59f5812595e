r"""Real gold answers, rewritten: `python benchmarks/rewrites.py --output DIR [--golds 360]`.

Right rewrites say the same in another usual way, wrong ones nearly the same. Each pair is graded by
the verifier and by bare math-verify (its own extraction, in a killable child, the same CPU limit).
Writes DIR/rewrites.json: counts by rule, and every pair that one of the two grades otherwise.
"""

import argparse
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in (".", "tests", "tests/unit/verifier")]

import gold_answers  # noqa: E402

from benchmarks.verifier import Plain  # noqa: E402
from maspo.verifier import GRADER_VERSION, Verifier  # noqa: E402

RIGHT, WRONG = 3, 2  # rewrites of each gold answer, at most
Rewrite = Callable[[str], str | None]


class Pair(NamedTuple):
    """A completion for a gold answer, and whether it is right."""

    rule: str
    completion: str
    gold: str
    right: bool


def boxed(answer: str) -> str:
    return f"Adding both sides, we get $\\boxed{{{answer}}}$, and we are done."


def swap(pattern: str, replacement: str | Callable) -> Rewrite:
    """A rule that replaces every match, for answers that have one."""

    def rewrite(gold: str) -> str | None:
        found = re.sub(pattern, replacement, gold)
        return found if found != gold else None

    return rewrite


def when(pattern: str, template: str) -> Rewrite:
    """A rule for answers that match as a whole: the template is filled with the match's groups."""

    def rewrite(gold: str) -> str | None:
        match = re.fullmatch(pattern, gold)
        return match.expand(template) if match else None

    return rewrite


NUMBER = r"-?\d+(?:\.\d+)?|-?\\frac\{\d+\}\{\d+\}|-?\d*\\sqrt\{\d+\}"
VALUE = rf"(?P<all>{NUMBER})"
ENDS = r"(?P<a>[^,]+), ?(?P<b>[^,]+)"
TWO_SIDES = r"\(-\\infty, ?(?P<a>[^,]+)\) ?\\cup ?\((?P<b>[^,]+), ?\\infty\)"


def mixed(gold: str) -> str | None:
    match = re.fullmatch(r"\\frac\{(\d+)\}\{(\d+)\}", gold)
    whole, rest = divmod(*map(int, match.groups())) if match else (0, 0)
    return f"{whole}\\frac{{{rest}}}{{{match[2]}}}" if whole and rest else None


def decimal(gold: str) -> str | None:
    match = re.fullmatch(r"\\frac\{(\d+)\}\{(\d+)\}", gold)
    value = Fraction(*map(int, match.groups())) if match else Fraction(1, 3)
    return f"{float(value)}" if 10**6 % value.denominator == 0 else None


def scaled(gold: str) -> str | None:
    match = re.fullmatch(r"(-?)\\frac\{(\d+)\}\{(\d+)\}", gold)
    return match and f"{match[1]}\\frac{{{3 * int(match[2])}}}{{{3 * int(match[3])}}}"


def elements(gold: str) -> list[str]:
    """The answers of a plain list; one where brackets make it another thing."""
    return re.split(r", ?", gold) if not re.search(r"[()\[\]=]|\\[{}]|\d,\d{3}", gold) else [gold]


def listed(separator: str, template: str = "{}") -> Rewrite:
    def rewrite(gold: str) -> str | None:
        found = elements(gold)
        return template.format(separator.join(reversed(found))) if len(found) > 1 else None

    return rewrite


def plus_minus(gold: str) -> str | None:
    if gold.count("\\pm") != 1 or "," in gold:
        return None
    return ", ".join(gold.replace("\\pm", sign) for sign in "+-")


def times_power(gold: str) -> str | None:
    return when(r"(-?[\d.]+)e(-?\d+)", r"\1 \\times 10^{\2}")(gold)


def moved(gold: str) -> str | None:
    """An equation with everything on the right side."""
    sides = gold.split("=")
    return (
        f"0 = {sides[1]} - ({sides[0]})" if len(sides) == 2 and len(sides[0].strip()) > 1 else None
    )


RIGHT_RULES: dict[str, Rewrite] = {
    "displayed fraction": swap(r"\\frac", r"\\dfrac"),
    "slash": when(r"(-?)\\frac\{(\d+)\}\{(\d+)\}", r"\g<1>\2/\3"),
    "not in lowest terms": scaled,
    "mixed number": mixed,
    "decimal": decimal,
    "trailing zeros": when(r"(-?\d+)", r"\1.00"),
    "thousands": when(r"(\d{1,3})(\d{3})", r"\1,\2"),
    "thousands, braced": when(r"(\d{1,3})(\d{3})", r"\1{,}\2"),
    "thousands, negative space": when(r"(\d{1,3})(\d{3})", r"\1,\\!\2"),
    "no thousands": when(r"(?:\\\$)?(\d{1,3}),(?:\\!)?(\d{3})", r"\1\2"),
    "unit": when(VALUE, r"\g<all>\\text{ cm}"),
    "unit, upright": when(VALUE, r"\g<all>\\,\\mathrm{kg}"),
    "unit, operator name": when(VALUE, r"\g<all>\\operatorname{cm}"),
    "unit, negative power": when(VALUE, r"\g<all>\\,\\mathrm{m\\,s^{-1}}"),
    "unit in words": when(r"(.*?)\s*\\(?:mbox|text)\{ (cm|inches)\}\^2", r"\1\\text{ square \2}"),
    "name": when(VALUE, r"x = \g<all>"),
    "name of a function": when(
        r"(?P<all>(?!.*\\(?:circ|begin|text|mbox|pm))[^=,]*[a-z][^=,]*)", r"f(x) = \g<all>"
    ),
    "true chain": when(r"(?P<all>\d+)", r"x = \g<all> + 1 - 1 = \g<all>"),
    "right side only": when(r"[a-zA-Z](?:\([a-z]\))?\s?=(?P<all>[^=,]+)", r"\g<all>"),
    "named tuple": when(rf"\({ENDS}\)", r"(x, y) = (\g<a>, \g<b>)"),
    "angle brackets": when(rf"\({ENDS}\)", r"\\langle \g<a>, \g<b> \\rangle"),
    "sizing": swap(r"^(?:\\left)? ?\((.*)\\?\)$", r"\\bigl( \1 \\bigr)"),
    "member": when(r"(?P<all>(?:\\left)?\[.*(?:\]|\)))", r"x \\in \g<all>"),
    "inequality": when(rf"x \\in \[{ENDS}\]", r"\g<a> \\le x \\le \g<b>"),
    "inequality, closed": when(rf"\[{ENDS}\]", r"\g<a> \\leqslant x \\leqslant \g<b>"),
    "two inequalities": when(TWO_SIDES, r"x < \g<a> \\text{ or } x > \g<b>"),
    "plus-minus written out": plus_minus,
    "list backwards": listed(", "),
    "list joined by and": listed(" \\text{ and } "),
    "list as a set": listed(", ", "\\{{{}\\}}"),
    "list with names": lambda gold: (
        ", ".join(f"x = {e}" for e in elements(gold)) if len(elements(gold)) > 1 else None
    ),
    "row spacing": swap(r"\\\\(?= )", r"\\\\[4pt]"),
    "brackets of a matrix": swap("pmatrix", "bmatrix"),
    "array": lambda gold: (
        gold.replace(r"\begin{pmatrix}", r"\left(\begin{array}{c}").replace(
            r"\end{pmatrix}", r"\end{array}\right)"
        )
        if "pmatrix" in gold and "&" not in gold
        else None
    ),
    "colour": when(VALUE, r"\\color{red}{\g<all>}"),
    "bold": when(VALUE, r"\\mathbf{\g<all>}"),
    "thin space": swap(r" ([-+=]) ", r"\\,\1\\,"),
    "root without braces": swap(r"\\sqrt\{(\d)\}", r"\\sqrt\1"),
    "root as a power": swap(r"\\sqrt\{(\d+)\}", r"(\1)^{1/2}"),
    "cube root as a power": swap(r"\\sqrt\[3\]\{(\d+)\}", r"(\1)^{1/3}"),
    "root over number": when(r"(-?)\\frac\{\\sqrt\{(\d+)\}\}\{(\d+)\}", r"\1\\sqrt{\2}/\3"),
    "root times fraction": when(
        r"(-?)\\frac\{\\sqrt\{(\d+)\}\}\{(\d+)\}", r"\1\\frac{1}{\3}\\sqrt{\2}"
    ),
    "root with a dot": swap(r"(\d) ?\\sqrt", r"\1 \\cdot \\sqrt"),
    "root in plain text": when(r"(\d+) ?\\sqrt\{?(\d+)\}?", r"\1*sqrt(\2)"),
    "pi over number": when(r"(-?)\\frac\{\\pi\}\{(\d+)\}", r"\1\\pi/\2"),
    "pi in plain text": swap(r"\\pi(?![a-z])", "π"),
    "infinity in unicode": swap(r"\\infty", "∞"),
    "whole number as a product": when(r"(\d*[24680])", r"2 \\cdot \\frac{\1}{2}"),
    "whole number over one": when(r"(-?\d+)", r"\\frac{\1}{1}"),
    "terms swapped": when(r"([^-+=,()]+) \+ ([^-+=,()]+)", r"\2 + \1"),
    "factors swapped": when(r"(\([^()]+\))(\([^()]+\))", r"\2\1"),
    "exponential function": swap(r"(?<![a-zA-Z\\])e\^\{([^{}]+)\}", r"\\exp(\1)"),
    "inverse sine": swap(r"\\arcsin", r"\\sin^{-1}"),
    "bound on the other side": when(r"(\w) ?\\geqslant (\d+)", r"\2 \\le \1"),
    "half line": when(r"(\w) ?\\geqslant (\d+)", r"[\2, \\infty)"),
    "word without a wrapper": when(r"\\text\{ ?([a-zA-Z]+)\}", r"\1"),
    "word upright": when(r"\\text\{ ?([a-zA-Z]+)\}", r"\\mathrm{\1}"),
    "display style": when(r"(?P<all>.*\\.*)", r"\\displaystyle \g<all>"),
    "final period": when(r"(?P<all>.*[\w)}])", r"\g<all>."),
    "dollars inside": when(r"(?P<all>.*\d)", r"$\g<all>$"),
    "floor with sizing": swap(
        r"(?<!left)\\lfloor(.*?)\\rfloor", r"\\left\\lfloor\1\\right\\rfloor"
    ),
    "braces of a set": swap(r"^\\\{(.*)\\\}$", r"\\left\\lbrace \1 \\right\\rbrace"),
    "chain of a definition": when(r"(\w)\((\w)\)=(.*)", r"\1(\2) = \3 = \3"),
    "upright i": swap(r"(?<=\d)i(?![a-z])", r"\\mathrm{i}"),
    "upright e": swap(r"(?<![a-zA-Z\\{])e(?=\^)", r"\\mathrm{e}"),
    "choice with a value": when(r"\\text\{\((\w)\)\}", r"\\textbf{(\1) } 12"),
    "bare choice": when(r"\\text\{\((\w)\)\}", r"\1"),
    "degrees in words": when(r"(\d+)\^\{?\\circ\}?", r"\1\\text{ degrees}"),
    "degrees left out": when(r"(\d+)\^\{?\\circ\}?", r"\1"),
    "percent in words": when(r"([\d.]+) ?\\?%", r"\1 pct"),
    "power of ten": times_power,
    "equation moved": moved,
    "index in words": swap(r"_([a-z])(?!\w)", r"_{\\text{\1}}"),
}
RIGHT_COMPLETIONS = {
    "behind a thought": "<think>Is it \\boxed{{-77}}?</think>\n\nThe answer is $\\boxed{{{}}}$.",
    "answer on the next line": "Some steps.\n\n**Final Answer:**\n\n${}$",
    "the answer is": "Some steps. Therefore, the answer is ${}$.",
}


def other_digit(gold: str) -> str | None:
    """The last number in it one larger, but no index of a name."""
    found = list(re.finditer(r"(?<![_{\d])\d+|(?<=\{)\d+", gold))
    if not found or "_" in gold:
        return None
    last = found[-1]
    return f"{gold[: last.start()]}{int(last[0]) + 1}{gold[last.end() :]}"


def dropped(gold: str) -> str | None:
    found = elements(gold)
    return ", ".join(found[1:]) if len(set(found)) > 1 else None


WRONG_RULES: dict[str, Rewrite] = {
    "another digit": other_digit,
    "other sign": lambda gold: (
        f"-({gold})"
        if re.fullmatch(r"[^=,<>\[]*", gold)
        and re.search(r"\d|\\sqrt", gold)
        and "text" not in gold
        and "mbox" not in gold
        and "pm" not in gold
        and gold != "0"
        else None
    ),
    "thirds": when(VALUE, r"\g<all>\\text{ thirds}"),
    "lakh": when(VALUE, r"\g<all>\\text{ lakh}"),
    "half": when(VALUE, r"\g<all> half"),
    "doubled": when(VALUE, r"\g<all>\\text{ doubled}"),
    "million": when(VALUE, r"\g<all> million"),
    "percent": when(r"(?P<all>[1-9]\d*)", r"\g<all>\\%"),
    "upright i behind": when(VALUE, r"\g<all>\\mathrm{i}"),
    "upright e behind": when(VALUE, r"\g<all>\\mathrm{e}"),
    "a term with upright x": when(VALUE, r"\g<all>+\\mathrm{x}"),
    "false chain": when(VALUE, r"x = -77 = \g<all>"),
    "false chain without a name": when(VALUE, r"-77 = \g<all>"),
    "an equation": when(VALUE, r"2x = \g<all>"),
    "not equal": when(VALUE, r"x \\neq \g<all>"),
    "tuple swapped": when(r"\((?P<a>[^,()]+), ?(?P<b>[^,()]+)\)", r"(\g<b>, \g<a>)"),
    "closed end": swap(r"\(((?!-\\infty)[^()]*)\)$", r"[\1)"),
    "open end": swap(r"\]$", ")"),
    "list without one": dropped,
    "list with one more": listed(", ", "{}, -77"),
    "hedge": when(VALUE, r"\g<all> \\text{ or } -77"),
    "inverse": when(r"\\frac\{(\d+)\}\{(\d+)\}", r"\\frac{\2}{\1}"),
    "another unit": swap(r"(cm|inches)\}", "km}"),
    "another power of a unit": swap(r"\}\^2$", "}^3"),
    "another choice": when(r"\\text\{\((\w)\)\}", r"\\text{(J) } 12"),
    "two choices": when(r"\\text\{\((\w)\)\}", r"\\text{(\1) or (J)}"),
    "another entry": swap(r"(\d) \\end", r"1\1 \\end"),
    "one of plus and minus": swap(r"\\pm", "+"),
    "derivative": when(r"(y) = (.*)", r"\1' = \2"),
    "a little more": when(r"(?P<all>\d+)", r"\g<all>.0000001"),
    "power of ten": when(r"([\d.]+)e(-?\d+)", r"\1 \\times 10^{\g<2>0}"),
    "another letter": swap(r"(?<![a-zA-Z\\{_])[kmnx](?![a-zA-Z])", "q"),
}
WRONG_COMPLETIONS = {
    "draft only": "<think>Perhaps \\boxed{{{}}}.</think>\n\nThe final answer is -77.",
}


def body(gold: str) -> str:
    """The gold answer without the dollar signs around its formulas."""
    return re.sub(r"(?<!\\)\$", "", gold).removesuffix(".").strip()


def choose(
    rules: dict[str, Rewrite],
    wraps: dict[str, str],
    gold: str,
    count: int,
    right: bool,
    rng: random.Random,
) -> list[Pair]:
    """At most `count` pairs of one gold answer."""
    found = [(name, rule(body(gold))) for name, rule in rules.items()]
    pairs = [Pair(name, boxed(text), gold, right) for name, text in found if text]
    name = rng.choice(list(wraps))
    pairs.append(Pair(name, wraps[name].format(body(gold)), gold, right))
    rng.shuffle(pairs)
    return pairs[:count]


def make(count: int) -> list[Pair]:
    """The pairs of `count` different gold answers, the same in every run."""
    rng = random.Random("rewritten gold answers")
    golds = sorted({gold.answer for gold in gold_answers.load()})
    chosen = rng.sample([gold for gold in golds if gold != "-77"], count)
    return [
        pair
        for gold in chosen
        for pair in (
            *choose(RIGHT_RULES, RIGHT_COMPLETIONS, gold, RIGHT, True, rng),
            *choose(WRONG_RULES, WRONG_COMPLETIONS, gold, WRONG, False, rng),
        )
    ]


def report(pairs: list[Pair], verdicts: dict[str, list[str]]) -> dict:
    """Counts of each grader, by rule, and the pairs graded otherwise than they are."""
    result = {}
    for grader, found in verdicts.items():
        missed = [
            (pair, verdict)
            for pair, verdict in zip(pairs, found, strict=True)
            if (verdict == "correct") != pair.right
        ]
        result[grader] = {
            "false accepts": sum(not pair.right for pair, _ in missed),
            "false rejects": sum(pair.right for pair, _ in missed),
            "verdicts": Counter(found),
            "by rule": Counter(f"{'right' if p.right else 'wrong'}: {p.rule}" for p, _ in missed),
            "pairs": [[*pair, verdict] for pair, verdict in missed],
        }
    return result


def main() -> None:
    """Rewrite, grade twice, write the file, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for rewrites.json")
    parser.add_argument("--golds", type=int, default=360, help="gold answers to rewrite")
    options = parser.parse_args()
    start, load = time.perf_counter(), os.getloadavg()[0]
    pairs = make(options.golds)
    with Verifier(workers=1) as verifier:
        ours = verifier.grade_many([p.completion for p in pairs], [p.gold for p in pairs])
    plain = Plain()
    bare = [plain.grade(pair.completion, pair.gold) for pair in pairs]
    found = report(pairs, {"verifier": list(map(str, ours)), "math-verify": bare})
    found = {
        "golds": len({pair.gold for pair in pairs}),
        "right pairs": sum(pair.right for pair in pairs),
        "wrong pairs": sum(not pair.right for pair in pairs),
        "grader": GRADER_VERSION,
        "load average at the start": load,
        "seconds": round(time.perf_counter() - start),
        **found,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "rewrites.json").write_text(json.dumps(found, indent=1) + "\n")
    for grader in ("verifier", "math-verify"):
        found[grader] = {k: v for k, v in found[grader].items() if k != "pairs"}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
