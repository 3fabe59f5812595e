"""Arithmetic of memory and time on a GPU, before anything is run; nothing here is measured."""

from maspo.plan.check import architecture_of, check_memory
from maspo.plan.hardware import Architecture
from maspo.plan.text import describe

__all__ = ["Architecture", "architecture_of", "check_memory", "describe"]
