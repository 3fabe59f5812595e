"""Model text is data: nothing evaluates it, and importing the grader starts nothing."""

import builtins
import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_verifier_cases import CASES, completion

from maspo.verifier import Verdict, extract
from maspo.verifier.text import clean

CODE = [case for case in CASES if case["id"].startswith("code-")]


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


def test_neither_eval_nor_sympify_sees_model_text(monkeypatch):
    """Every case that is code, decided in this process with the evaluators watched."""
    equivalence = pytest.importorskip("maspo.verifier.equivalence")
    from sympy.core import sympify
    from sympy.parsing import sympy_parser

    equivalence.warm_up()
    seen = []
    for owner, name in [
        (builtins, "eval"),
        (builtins, "exec"),
        (builtins, "compile"),
        (sympy_parser, "eval_expr"),
        (sympy_parser, "parse_expr"),
    ]:
        original = getattr(owner, name)

        def watched(*args, _name=name, _original=original, **kwargs):
            seen.append((_name, str(args[0])[:200]))
            return _original(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)
    texts = [clean(extract(completion(case)) or "") for case in CODE]
    for text in texts:
        equivalence.decide(text, "5")
        equivalence.decide("5", text)
    assert seen == []
    sympify.sympify("1+1")
    assert {name for name, _ in seen} >= {"eval_expr", "parse_expr"}  # the watch does see


def test_importing_is_light():
    script = (
        "import json, sys, maspo.verifier as v; v.Verifier(rules=['hash']).grade_many(['#5'], ['5']);"
        "print(json.dumps([m for m in ('sympy', 'math_verify', 'torch', 'numpy') "
        "if m in sys.modules]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=_root()
    )
    assert json.loads(found.stdout) == []


def _root() -> Path:
    return Path(__file__).resolve().parents[3]
