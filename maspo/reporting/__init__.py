"""Reporting: records, logs and manifests of many runs to tables and rulings on claims.

`study_files` and `suite_files` return every result file as text; docs/claims.md defines the
rulings.
"""
