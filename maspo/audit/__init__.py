"""The audit of a results folder: what can be recomputed from it, and where a number comes from."""
