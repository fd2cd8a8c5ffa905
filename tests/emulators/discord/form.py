"""Checks request bodies. It collects all errors with their paths and raises them together as 50035."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.emulators.discord.faults import invalid_form
from tests.emulators.discord.types import Json

Path = tuple[str | int, ...]


def number_of(value: object, default: int = 0) -> int:
    """The value as a whole number; a snowflake may be a string."""
    if isinstance(value, bool):
        return default
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdigit() else default


@dataclass(slots=True)
class Form:
    """The errors of one body, nested by path as in Discord's answers."""

    errors: Json = field(default_factory=dict)

    def wrong(self, path: Path, code: str, message: str) -> None:
        """Add an error."""
        node = self.errors
        for step in path:
            child = node.setdefault(str(step), {})
            assert isinstance(child, dict)
            node = child
        listed = node.setdefault("_errors", [])
        assert isinstance(listed, list)
        listed.append({"code": code, "message": message})

    def check(self) -> None:
        """Raise 50035 if anything was wrong."""
        if self.errors:
            raise invalid_form(self.errors)

    def text(self, value: object, path: Path, high: int, low: int = 0) -> str:
        """The trimmed text. `low` > 0 makes it required. Lengths are code points."""
        if value is not None and not isinstance(value, str):
            self.wrong(path, "STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
            return ""
        text = (value or "").strip()
        if not text and low:
            self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif len(text) > high and low:
            self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        elif len(text) > high:
            self.wrong(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
        elif text and len(text) < low:
            self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        return text

    def items(self, value: object, path: Path, high: int, low: int = 0) -> list[Json]:
        """The objects in a list."""
        if value is None:
            value = []
        if not isinstance(value, list):
            self.wrong(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if not low <= len(value) <= high:
            known = ("BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
            self.wrong(path, *known)
        for place, item in enumerate(value):
            if not isinstance(item, dict):
                self.wrong(
                    (*path, place), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"
                )
        return [item for item in value if isinstance(item, dict)]

    def choice(self, value: object, path: Path, among: tuple[int, ...]) -> int:
        """A number that must be one of the allowed ones."""
        number = number_of(value, -1)
        if number not in among:
            known = ", ".join(map(str, among))
            self.wrong(path, "BASE_TYPE_CHOICES", f"Value must be one of ({known}).")
        return number

    def url(self, value: object, path: Path, *, schemes: tuple[str, ...] = ("http", "https")) -> None:
        """A URL with one of the schemes and at most 2048 characters, or None."""
        if value is None:
            return
        text = self.text(value, path, 2048)
        try:
            parts = urlsplit(text)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme and parts.scheme not in schemes:
            allowed = ", ".join(f"'{scheme}'" for scheme in schemes)
            self.wrong(
                path, "URL_TYPE_INVALID_SCHEME", f'Scheme "{parts.scheme}" must be one of ({allowed}).'
            )
        elif not parts.scheme or not parts.netloc or " " in text:
            self.wrong(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
