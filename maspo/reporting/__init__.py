"""Reporting: records of many runs to tables."""
