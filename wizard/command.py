"""The verb `new`: asks, plans, and writes."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from components.quantity import parse
from plan.refused import Refused
from stacks.validation import validate

from .draft import new_path, planned, write
from .environment import draft
from .questions import QUESTIONS, Answers, WizardQuestion, card_of

Ask = Callable[[str, str], str]
"""Asks a person: the question, and what is taken by default. Raises `Left`."""
Say = Callable[[str], None]
"""Tells a person something."""


class Left(Exception):
    """Nobody answers any more: Ctrl-C, or the end of the input."""


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
        Refused: The file is there, or the answers make no stack that can be deployed. Where
            somebody was asked, it says how to go on with the answers.
    """
    path = new_path(stack, project)
    said = dict(flags)
    try:
        if ask is not None:
            _converse(stack, said, say, ask)
        answers = answered(stack, said)
        drafted = draft(answers)
        plan = planned(drafted, stack, project)
        write(drafted, path)
    except Refused as refused:
        if said == flags:
            raise
        where = () if project == Path() else ("--project", str(project))
        command = shlex.join(["ack-inference", "new", stack, *where, *_as_flags(said)])
        raise Refused(
            refused.subject,
            *refused.sentences,
            f"Nothing is written. To go on with these answers, change what is wrong in: {command}",
        ) from None
    for warning in [*plan.warnings, *_too_large(answers)]:
        say(f"Warning: {warning}")
    return path


def _too_large(answers: Answers) -> Iterator[str]:
    """A warning where the cards of a replica have no room for what it loads from a hub.

    Of files in a store a check of the stack file says so, which knows their size.
    """
    room = card_of(answers).memory_gib * int(answers["gpus"])
    if answers["files"] == "hub" and parse(answers["size"]) > room * 2**30:
        yield (
            f"--size is {answers['size']}, and the cards of a replica have {room} GiB of memory "
            "for weights and KV cache together: it may fail to load."
        )


def answered(stack: str, said: Mapping[str, str]) -> Answers:
    """An answer to each question that applies: what was said, or else the default.

    Raises:
        Refused: An answer is wrong, or is of a question that does not apply; or a question has
            neither answer nor default.
    """
    answers, faults = _completed(stack, said)
    if faults:
        raise Refused(f"Stack {stack!r}", *faults.values())
    return answers


def _completed(stack: str, said: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Answers, all of which can be read, and by question what is wrong with what was said."""
    answers: dict[str, str] = {"stack": stack}
    faults: dict[str, str] = {}
    for question in QUESTIONS:
        word = said.get(question.name)
        if not question.applies(answers):
            if word is not None:
                earlier = ", ".join(
                    f"{entry.flag} {answers[entry.name]}"
                    for entry in QUESTIONS
                    if entry.name in ("on", "files", "store", "metric") and entry.name in answers
                )
                faults[question.name] = (
                    f"{question.flag} is {word!r}, but it must be left out with {earlier}."
                )
            continue
        default = question.default(answers)
        answer = question.spelled(word or default, answers)
        fault = question.fault(answer, answers)
        if fault:
            faults[question.name] = fault
            # Later questions read it, as a key of their tables.
            answer = default or next(iter(question.choices(answers)), question.like)
        answers[question.name] = answer
    return answers, faults


def _converse(stack: str, said: dict[str, str], say: Say, ask: Ask) -> None:
    """Asks what is not said yet, and again after a fault; adds the answers to what is said.

    Raises:
        Refused: Nobody answers any more, or a flag is of a question that does not apply.
    """
    flags = dict(said)
    said.clear()
    for question in QUESTIONS:
        if question.name in flags:
            said[question.name] = flags[question.name]
        answers, faults = _completed(stack, said)
        if question.name not in answers:
            if question.name in faults:
                said |= flags
                raise Refused(f"Stack {stack!r}", faults[question.name])
            continue
        default = question.default(answers)
        while question.name not in said or (fault := _fault(stack, question, said)):
            if question.name in said:
                say(fault)
            try:
                said[question.name] = ask(question.prompt(answers), default).strip()
            except Left:
                said.pop(question.name, None)
                said |= {name: flags[name] for name in flags.keys() - said.keys()}
                sentence = f"{question.flag} has no answer, and the input has ended."
                raise Refused(f"Stack {stack!r}", sentence) from None


def _fault(stack: str, question: WizardQuestion, said: Mapping[str, str]) -> str:
    """What is wrong with an answer, by itself or with those before it and defaults after it."""
    answers, faults = _completed(stack, said)
    if question.name in faults:
        return faults[question.name]
    broken = validate(draft(answers).config).sentences
    if not broken:
        return ""
    return "\n".join(
        [f"{question.flag} is {said[question.name]!r}, with which the stack is refused:"]
        + [f"  {sentence}" for sentence in broken]
    )


def _as_flags(said: Mapping[str, str]) -> list[str]:
    return [
        word
        for question in QUESTIONS
        if question.name in said
        for word in (question.flag, said[question.name])
    ]
