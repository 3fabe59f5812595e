"""Tasks: problems with verifiable answers, in one schema at every scale."""

from maspo.tasks.problems import Problem, TaskData, read_problems, write_problems

__all__ = ["Problem", "TaskData", "read_problems", "write_problems"]
