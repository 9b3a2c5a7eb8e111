"""Errors that a user can act on."""


class SlipwayError(Exception):
    """A failure with a stable code, what happened, and how to mend it."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        """The line that a command prints last: one line, whatever the message holds."""
        text = f"slipway: error={self.code} message={_one_line(self.message)}"
        return f"{text} fix={_one_line(self.fix)}" if self.fix else text


class BuildError(SlipwayError):
    """A model cannot be built as asked."""


class ConversionError(SlipwayError):
    """A model cannot be converted, or its conversion is not right."""


def _one_line(text: str) -> str:
    return " ".join(text.split())
