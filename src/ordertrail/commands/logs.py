"""How processes that run for long say what happens to them: lines on standard error."""

import logging
import sys


def to_standard_error() -> None:
    """Let everything from level INFO on be said there, with the time and who says it."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("psycopg").addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line of the driver says more than that a lost connection could not be ended.

    What was lost is told by the error that is raised.
    """
    return not str(record.msg).startswith("error ignored terminating")
