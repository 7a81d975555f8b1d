"""Sentences that several commands say: a stop, and why something is inactive."""

from __future__ import annotations

from typing import Any

from flows.cli.words import when

_WAYS = {"link": "by the link in a letter", "command": "by command", "import": "by import"}
_STEPS = {
    "successor": "the successor of",
    "duplicate": "the LEI that survives the duplicate",
    "same number": "under the same number of the same register as",
}
CONDITIONS = {
    "lei_retired": "its LEI is retired",
    "lei_merged": "its LEI is merged into another",
    "lei_annulled": "its LEI is annulled",
    "lei_duplicate": "its LEI is a duplicate",
    "vanished": "its publisher no longer lists it",
    "inactive_after": "its period is over",
}
"""Conditions of the retention policy, in words."""


def stop_sentence(stop: dict[str, Any] | None, subject: str) -> str:
    """Return whether it is on the do-not-contact list, since when and why."""
    if stop is None:
        return f"Do-not-contact list: {subject} is not on it."
    way = _WAYS.get(stop["origin"], stop["origin"])
    if stop.get("path"):
        return (
            f"Do-not-contact list: a stop since {when(stop['added_at'])}, {way}, covers {subject}: "
            f"{subject} is {_path_in_words(stop['path'])}, which is stopped. "
            f"Reason: {stop['reason']}."
        )
    return (
        f"Do-not-contact list: {subject} is on it since {when(stop['added_at'])}, {way}. "
        f"Reason: {stop['reason']}."
    )


def _path_in_words(path: list[dict[str, Any]]) -> str:
    """How a stop leads to a company, from that company back to the one stopped."""
    steps = [
        f"{_STEPS.get(step['how'], step['how'])} {step['from'] or 'a company that is not held'}"
        for step in reversed(path)
    ]
    return ", which is ".join(steps)


def condition(name: str) -> str:
    """Return a condition of the retention policy in words."""
    return CONDITIONS.get(name, name.replace("_", " "))
