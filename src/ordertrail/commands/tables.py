"""Tables as commands print them: to a person in the width of the terminal, else a row a line."""

from rich.console import Console
from rich.table import Table

_WIDTH = 10_000
"""Wider than any row: what reads a pipe wants whole lines."""


def show(table: Table) -> None:
    """Print a table on standard output."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table)
