"""The one exception for what a user can mend."""


class InputError(Exception):
    """Something outside the code is wrong: a file, a config key, a model, a disk.

    Its message is one sentence that names what is wrong and where (path, line, key,
    trace id). `logs.job` prints it without a traceback and exits with status 1.
    """
