"""Tasks: problems with verifiable answers, in one schema at every scale."""

from maspo.tasks.problems import Lessons, Problem, TaskData, read_problems, write_problems

__all__ = ["Lessons", "Problem", "TaskData", "read_problems", "write_problems"]
