"""Logging, errors and progress of all jobs."""

import errno
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from doubletake.running.errors import InputError
from doubletake.running.orphan_jobs import watch_run
from doubletake.running.visible_text import visible

logger = logging.getLogger("doubletake")
LINE_EVERY = 10.0  # seconds between two progress lines in a log, at the start
LINE_AT_LEAST_EVERY = 60.0  # and at the most: a line comes after 10% more time


@contextmanager
def job(log_path: str | Path) -> Iterator[None]:
    """Run the body of a job. It logs to `log_path` and stderr.

    The job ends when the Snakemake process that started it is gone.

    Raises:
        SystemExit: the body raised an `InputError`, or the disk is full. The status is
            1, and the message is the last line of the log. Any other exception is a bug
            and keeps its traceback.
    """
    log_to(log_path)
    watch_run()
    try:
        yield
    except InputError as error:
        logger.error("%s", error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            logger.exception("unexpected failure")
            raise
        logger.error("no space left on the device while writing %s", error.filename)
        sys.exit(1)
    except Exception:
        logger.exception("unexpected failure")
        raise


class VisibleFormatter(logging.Formatter):
    """Makes foreign text in log records visible, so that it cannot control a terminal.

    A message stays on one line, because a line break in it could fake another record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line, followed by the traceback if there is one."""
        shown = logging.makeLogRecord(vars(record))
        shown.msg, shown.args = record.getMessage().replace("\n", "\\n"), None
        return visible(super().format(shown))


def log_to(path: str | Path) -> None:
    """Send log records to the rule's log file and to stderr."""
    handlers: list[logging.Handler] = [
        logging.FileHandler(path, mode="w", encoding="utf-8", errors="replace"),
        logging.StreamHandler(),
    ]
    formatter = VisibleFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.raiseExceptions = False  # a full disk for logs must not stop a job
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)


class Progress:
    """Counts items and tokens: a bar on a terminal, lines in the log elsewhere."""

    def __init__(self, total: int, unit: str) -> None:
        """Start the clock; `unit` is the plural of an item's name ("traces")."""
        self.total, self.unit = total, unit
        self.items = self.tokens = self.kept = 0
        self.started = self.last_line = time.monotonic()
        self.bar = tqdm(total=total, unit=f" {unit}", disable=None)

    def keep(self, items: int) -> None:
        """Add items that were finished before the clock started."""
        self.items += items
        self.kept += items
        self.bar.initial = items
        self.bar.update(items)

    def expect(self, items: int) -> None:
        """Raise the total: work whose size was not known at the start."""
        self.total += items
        self.bar.total = self.total

    def update(self, items: int = 0, tokens: int = 0) -> None:
        """Add finished items and processed tokens."""
        self.items += items
        self.tokens += tokens
        self.bar.update(items)
        now = time.monotonic()
        pause = min(max(LINE_EVERY, self.seconds / 10), LINE_AT_LEAST_EVERY)
        if now - self.last_line >= pause:
            self.last_line = now
            self._line()

    def close(self) -> None:
        """Write the last line."""
        self.bar.close()
        self._line()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def _line(self) -> None:
        rate = self.tokens / max(self.seconds, 1e-9)
        logger.info(
            "%d of %d %s, %.0f tokens/s, %s",
            self.items,
            self.total,
            self.unit,
            rate,
            self._end(),
        )

    def _end(self) -> str:
        """When all items will be finished, if the others take as long as these did."""
        done = self.items - self.kept
        if self.items >= self.total:
            return f"{self.seconds:.0f} s"
        if done == 0:
            return "end not known yet"
        left = (self.total - self.items) * self.seconds / done
        end = time.localtime(time.time() + left)
        return f"expected end {time.strftime('%Y-%m-%d %H:%M', end)}"
