"""The one exception that a user is meant to read."""


class MaspoError(Exception):
    """Something the user can put right; the message names the value, its source and the remedy."""


class ConfigError(MaspoError):
    """A setting that is unknown or out of range."""


class DataError(MaspoError):
    """A file that is missing, truncated or of another shape than expected."""


class DeviceError(MaspoError):
    """A GPU that another job holds."""
