"""A case: what AWS is expected to do, the assumptions that it checks, and where it can be judged."""

import time
from dataclasses import dataclass, field

AS_EXPECTED, NOT_AS_EXPECTED, BROKE = "as expected", "NOT AS EXPECTED", "BROKE"
ONLY_AWS, NOT_RUN = "only AWS can judge", "NOT RUN"
# A fault of ours that is known and not mended yet, and one whose mark was forgotten.
KNOWN_FAULT, MENDED = "known fault", "MENDED, UNMARK IT"
RED = (NOT_AS_EXPECTED, BROKE, NOT_RUN, MENDED)
SHOWN_CHARACTERS_MAX = 400


class UnexpectedError(Exception):
    """What was seen instead of what was expected."""


def expect(condition, seen):
    """Raises UnexpectedError with what was seen unless the condition holds."""
    if not condition:
        raise UnexpectedError(seen)


@dataclass(frozen=True)
class Case:
    """One case. `play` takes the stand and returns what was seen, or raises UnexpectedError with it."""

    name: str
    expected: str
    # The numbers of docs/MODEL.md.
    assumptions: tuple
    play: object
    # Why the local stack cannot judge it; it is then not run there.
    only_aws: str | None = None
    # What of it the local stack does not judge although it is run there.
    lenient: str | None = None
    # A fault of ours that makes it fail. When it no longer does, the suite is red until the mark is taken away.
    known_fault: str | None = None


@dataclass(frozen=True)
class Result:
    """What became of a case."""

    case: Case
    verdict: str
    seen: str
    seconds: float = 0.0


@dataclass
class Catalogue:
    """The cases of a file, in the order in which they are played."""

    cases: list = field(default_factory=list)

    def case(self, name, expected, assumptions, **marks):
        """Makes a case of the function that follows."""

        def add(play):
            self.cases.append(Case(name, expected, tuple(assumptions.split()), play, **marks))
            return play

        return add


def played(case, stand):
    """Plays a case. Whatever goes wrong in it is a result, so that the other cases are played too."""
    if stand.is_local and case.only_aws:
        return Result(case, ONLY_AWS, case.only_aws)
    started = time.monotonic()
    try:
        seen, verdict = case.play(stand), MENDED if case.known_fault else AS_EXPECTED
    except UnexpectedError as unexpected:
        seen, verdict = str(unexpected), KNOWN_FAULT if case.known_fault else NOT_AS_EXPECTED
    except Exception as error:  # whatever it is, the other cases are played too
        seen, verdict = f"{type(error).__name__}: {error}", BROKE
    return Result(case, verdict, one_line(seen), time.monotonic() - started)


def one_line(text):
    """The text in one line, and not longer than a table takes."""
    text = " ".join(str(text).split())
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 1] + "…"
