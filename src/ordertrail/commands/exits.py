"""Exit codes, which scripts rely on."""

EXIT_DONE = 0
EXIT_REFUSED = 2
EXIT_LATER = 75
EXIT_NOT_ALLOWED = 77
EXIT_STOPPED = 130
"""By Ctrl-C or SIGTERM."""
