"""Replication package for MASPO (Mass-Adaptive Soft Policy Optimization, arXiv 2602.17550)."""

__version__ = "0.4.3"
