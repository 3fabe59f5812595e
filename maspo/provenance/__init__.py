"""Provenance: what each step read, wrote and ran on."""

from maspo.provenance.manifest import write_manifest

__all__ = ["write_manifest"]
