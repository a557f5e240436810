"""A file of problems with the golds of thoughts whose own file lacks them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.user_rows import short, text_of
from doubletake.user_files.chat_messages import Fields


@dataclass
class JoinedProblems:
    """Questions and golds, found by the question in a prompt or by an id."""

    source: str
    """Path of the file, for messages."""
    by_question: dict[str, Any] = field(default_factory=dict)
    by_id: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def add(self, location: str, row: dict[str, Any]) -> None:
        """Add a problem.

        Raises:
            InputError: another problem has the same question and another gold, or the
                same id.
        """
        question = text_of(row, "question", location).strip()
        gold, name = row["gold"], row.get("id")
        if self.by_question.setdefault(question, gold) != gold:
            raise InputError(f"{location}: a second gold for the same question")
        if name is not None and self.by_id.setdefault(str(name), (question, gold)) != (
            question,
            gold,
        ):
            raise InputError(f"{location}: a second row with the id {short(name)}")

    def joined(self, fields: Fields, location: str) -> Fields:
        """The fields of a thought, with the gold of its problem.

        The problem is the one whose question stands in the thought's question or
        prompt, the longest if there are several. A thought without question or prompt
        finds its problem by its id.

        Raises:
            InputError: there is no such problem.
        """
        asked = fields.get("question") or fields.get("prompt")
        if asked is not None:
            question = self._question_in(asked[1])
            if question is None:
                raise InputError(
                    f"{location}: no question of {self.source} stands in "
                    f"{asked[0]!r} ({short(asked[1])})"
                )
            gold = self.by_question[question]
        else:
            name = fields.get("id", ("", None))[1]
            if str(name) not in self.by_id:
                raise InputError(
                    f"{location}: it has no question, and no row of {self.source} has "
                    f"the id {short(name)}"
                )
            question, gold = self.by_id[str(name)]
        found = {"gold": (f"{self.source}: gold", gold)}
        if asked is None:
            found["question"] = (f"{self.source}: question", question)
        return fields | found

    def _question_in(self, text: Any) -> str | None:
        if not isinstance(text, str):
            return None
        if text.strip() in self.by_question:
            return text.strip()
        inside = [question for question in self.by_question if question in text]
        return max(inside, key=len, default=None)


def joined_problems(
    source: str, rows: Iterable[tuple[str, dict[str, Any]]]
) -> JoinedProblems:
    """The problems of a file.

    Args:
        source: path of the file.
        rows: location and row, with `question`, `gold` and perhaps `id`.
    """
    problems = JoinedProblems(source)
    for location, row in rows:
        problems.add(location, row)
    return problems
