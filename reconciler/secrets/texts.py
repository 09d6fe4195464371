"""What bytes that may hold a secret are as text; nothing here raises what carries them along."""

from __future__ import annotations

from typing import Final

BOM: Final = b"\xef\xbb\xbf"
"""What some editors put before UTF-8."""


def decoded(data: bytes, encoding: str = "utf-8") -> str | None:
    """The text; ``None`` instead of an error, which would hold the bytes."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def without_newline(text: str) -> str:
    """``text`` without the one newline that editors and programs put at the end."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def is_sendable(text: str) -> bool:
    """Whether ``text`` is whole characters: a variable may hold any bytes, and JSON half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
