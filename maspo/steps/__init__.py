"""One thin command for each step of the DAG: ``python -m maspo.steps.<step> [overrides]``.

Overrides are Hydra's, for example ``scale=smoke train.lr=1e-4``; a step of one run also wants
``variant=`` and ``seed=``.
"""
