"""What the platform asks its database."""

import apsw


class Statements:
    """Every statement with one of these words that the connections of the platform begin."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self.begun: list[str] = []

    def follow(self, connection: apsw.Connection) -> None:
        connection.exec_trace = self._begin

    def _begin(self, _cursor: apsw.Cursor, statement: str, _bound: object) -> bool:
        if any(word in statement for word in self._words):
            self.begun.append(statement)
        return True
