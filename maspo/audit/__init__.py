"""Provenance: what each step read, wrote and ran on."""

from maspo.audit.manifest import write_manifest

__all__ = ["write_manifest"]
