"""The search for better settings of objectives, by successive halving: `python -m maspo.search`."""
