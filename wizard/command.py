"""The verb `new`: asks, plans, and writes."""

from collections.abc import Callable, Mapping
from pathlib import Path

from plan.refused import Refused

from .draft import new_path, planned, write
from .environment import draft
from .questions import QUESTIONS, Answers, WizardQuestion

Ask = Callable[[str, str], str]
"""Asks a person: the question, and what is taken by default."""
Say = Callable[[str], None]
"""Tells a person something."""


def new(
    stack: str,
    project: Path,
    flags: Mapping[str, str],
    say: Say,
    ask: Ask | None = None,
) -> Path:
    """Writes the stack file that the answers ask for, once it plans.

    Args:
        stack: Name of the stack.
        project: Folder of the project.
        flags: Answers that were given on the command line, by question.
        say: Tells what is wrong with an answer, and what will surprise.
        ask: Asks for the others; None takes the defaults.

    Raises:
        Refused: The file is there, or the answers make no stack that can be deployed.
    """
    path = new_path(stack, project)
    drafted = draft(answered(stack, flags, say, ask))
    plan = planned(drafted, stack, project)
    write(drafted, path)
    for warning in plan.warnings:
        say(f"Warning: {warning}")
    return path


def answered(stack: str, flags: Mapping[str, str], say: Say, ask: Ask | None) -> Answers:
    """An answer to each question that applies.

    Raises:
        Refused: A flag is wrong, or is of a question that does not apply; or nothing is asked, and
            a question has no default.
    """
    answers: dict[str, str] = {"stack": stack}
    faults: list[str] = []
    for question in QUESTIONS:
        flag = flags.get(question.name)
        if not question.applies(answers):
            if flag is not None:
                said = ", ".join(
                    f"{entry.flag} {answers[entry.name]}"
                    for entry in QUESTIONS
                    if entry.name in ("on", "files", "store", "metric") and entry.name in answers
                )
                faults.append(f"{question.flag} is {flag!r}, but it must be left out with {said}.")
            continue
        default = question.default(answers)
        answer = flag or default
        if flag is None and ask is not None:
            answer = _asked(question, answers, default, say, ask)
        fault = _fault(question, answer, answers)
        if fault:
            faults.append(fault)
            # Later questions read it, as a key of their tables.
            answer = default or next(iter(question.choices(answers)), question.like)
        answers[question.name] = answer
    if faults:
        raise Refused(f"Stack {stack!r}", *faults)
    return answers


def _fault(question: WizardQuestion, answer: str, answers: Answers) -> str:
    if not answer:
        return f"{question.flag} is missing, but it must be given: {question.text}."
    return question.fault(answer, answers)


def _asked(question: WizardQuestion, answers: Answers, default: str, say: Say, ask: Ask) -> str:
    choices = question.choices(answers)
    text = question.text
    if choices:
        more = ", or another" if question.is_open else ""
        text = f"{text} ({', '.join(choices)}{more})"
    while True:
        answer = ask(text, default).strip()
        fault = _fault(question, answer, answers)
        if not fault:
            return answer
        say(fault)
