"""Model text is data: nothing evaluates it, and importing the grader starts nothing."""

import builtins
import json
import subprocess
import sys
from pathlib import Path

import pytest
import sympy
from sympy.parsing import sympy_parser
from test_verifier_cases import CASES, completion

from maspo.verifier import Verdict, equivalence, extract
from maspo.verifier.text import clean


def test_code_is_not_run(verifier, tmp_path):
    marker = tmp_path / "run"
    attacks = [
        f"__import__('pathlib').Path('{marker}').touch()",
        f"exec(\"open('{marker}', 'w')\")",
        f"\\text{{open('{marker}','w')}}",
        f"\\sqrt{{open('{marker}','w')}}",
        f"5 + open('{marker}','w').close()",
        f"x=open('{marker}','w')",
        f"\\write18{{touch {marker}}}",
        f"$(touch {marker})",
        f"`touch {marker}`",
    ]
    boxed = [f"\\boxed{{{attack}}}" for attack in attacks]
    assert verifier.grade_many(boxed, ["5"] * len(boxed)) == [Verdict.WRONG] * len(boxed)
    assert not marker.exists()


def test_no_text_reaches_an_evaluator(monkeypatch):
    """Every short case, decided in this process with Python's and sympy's evaluators watched."""
    monkeypatch.setattr(sympy_parser, "eval_expr", sympy_parser.eval_expr)  # unlocked afterwards
    equivalence.warm_up()
    seen = []
    watched = [(builtins, "eval"), (builtins, "compile"), (sympy_parser, "parse_expr")]
    for owner, name in watched:
        monkeypatch.setattr(owner, name, _watch(getattr(owner, name), name, seen))
    cases = [case for case in CASES if case["id"].split("-")[0] in SHORT]
    for case in cases:
        text = clean(extract(completion(case)) or "")
        equivalence.decide(text, case["gold"])
        equivalence.decide(case["gold"], text)
    assert len(cases) > 100
    assert seen == []
    with pytest.raises(PermissionError, match="does not evaluate text"):
        sympy.sympify("1+1")
    assert "parse_expr" in seen  # the watch does see


SHORT = ("code", "var", "text", "char", "eq", "set", "tuple", "mixed", "frac", "dec", "unit", "sci")


def _watch(original, name, seen):
    def watched(*args, **kwargs):
        seen.append(name)
        return original(*args, **kwargs)

    return watched


def test_importing_is_light():
    script = (
        "import json, sys, maspo.verifier as v;"
        "v.Verifier(rules=['equals']).grade_many(['+2=5'], ['5']);"
        "print(json.dumps([m for m in ('sympy', 'math_verify', 'torch', 'numpy') "
        "if m in sys.modules]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=_root()
    )
    assert json.loads(found.stdout) == []


def _root() -> Path:
    return Path(__file__).resolve().parents[3]
