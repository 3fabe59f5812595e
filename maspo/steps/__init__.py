"""One thin command for each step of the DAG: ``python -m maspo.steps.<step> [overrides]``.

Overrides are Hydra's, for example ``scale=smoke train.lr=1e-4``; a step of one run also wants
``variant=`` and ``seed=``.
"""

import sys

if sys.flags.optimize > 1:
    sys.exit(
        "error: PYTHONOPTIMIZE=2 (python -OO) takes docstrings away, which transformers reads when "
        "it is imported: unset it, or set it to 1"
    )
