"""Why a local run ends before it began."""


class CannotStart(Exception):
    """Something cannot start; the message is the one line that the user sees."""


class RunningAlready(CannotStart):
    """Another run holds the data folder."""


class StopRequested(Exception):
    """Ctrl-C, SIGTERM or the end of `make` asked for a stop."""
