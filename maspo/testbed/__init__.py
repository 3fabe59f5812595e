"""The test bed: someone's own objective against a method of this package, in the miniature."""
