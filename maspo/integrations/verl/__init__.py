"""MASPO and its relatives in verl 0.9.1: objectives, reward, launcher.

Only `plugin`, `config`, `loss` and `worker` import verl; the launcher and the reward do not, so
that a run can be planned on a machine without it.
"""
