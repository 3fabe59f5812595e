"""Training: the supervised base policy and the RL loop."""
