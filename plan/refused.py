"""The one error of all rooms: an input that a person can put right."""


class Refused(Exception):
    """An input that no plan can be made of, as sentences that its author can act on."""

    def __init__(self, subject: str, *sentences: str) -> None:
        super().__init__(
            "\n".join([f"{subject} is refused:", *(f"  {line}" for line in sentences)])
        )
        self.subject = subject
        self.sentences = sentences
