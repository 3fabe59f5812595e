"""Unit tests: property tests have no deadline, because a busy machine is no fault."""

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
