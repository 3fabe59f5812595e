"""Settings of the intervals: `statistics` of the experiment is one."""

from maspo.config.schema import Statistics as Settings

__all__ = ["Settings"]
