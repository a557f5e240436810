"""The exception for mistakes that a user can correct."""


class InputError(Exception):
    """A fault outside of the code: in a file, a config key, a model, a disk.

    Its message is one sentence that names the fault and its place (path, line, key,
    trace id). `logs.job` prints it without a traceback and exits with status 1.
    """
