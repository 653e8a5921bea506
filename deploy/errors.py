"""What the launcher says instead of a traceback."""


class SetupError(Exception):
    """Something the person who started this has to put right; the text says what."""


class InUse(SetupError):
    """Another process holds this VAR."""
