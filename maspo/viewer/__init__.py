"""Completions of a run or an evaluation as one page that a browser opens without a server."""
