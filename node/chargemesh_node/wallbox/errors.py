"""What a wallbox would not do."""

from __future__ import annotations

from chargemesh_protocol.errors import ChargemeshError


class WallboxError(ChargemeshError):
    """A wish that the wallbox did not fulfil. `message` is a sentence for people.

    Codes: `wallbox-offline`, `wallbox-timeout`, `wallbox-refused`, `wallbox-busy`, `wallbox-faulted`,
    `unplug-first` and `plug-in-first` (both start by themselves once the person did so), `bad-tag`,
    `bad-reading`, `unlikely-reading`, `not-supported`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
