"""In whose name, when and under which policy version data is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse import runs
from warehouse.privacy.deletion_words import Act

if TYPE_CHECKING:
    from flows.house import House


def act_of(house: House) -> Act:
    """The act of whoever runs this command now."""
    return Act(
        actor=runs.actor(house.engine),
        now=house.now(),
        policy_version=house.settings.policy.version if house.settings.policy else "none",
        keys=house.keys,
        new_subject=lambda: house.random(16).hex(),
    )
