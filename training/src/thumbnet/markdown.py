"""Tables for documents, in Markdown."""

from collections.abc import Iterable


def row(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |\n"


def table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    """A whole table: its head, the rule under it and its rows."""
    return row(head) + row(["---"] * len(head)) + "".join(row(cells) for cells in rows)
