"""The settings of a workspace, as the rules and the building of the desired state need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from reconciler.loading.names import NamePolicy
from reconciler.model import Precondition, PreconditionState, SecretCommands, Workspace

Preconditions = Mapping[Precondition, PreconditionState]


class AuthorizationCheck(Protocol):
    """Says what is wrong with an authorization (a map of text), never repeating a value."""

    def __call__(self, authorization: Mapping[str, object], /) -> tuple[str, ...]:
        """Sentences, none if the authorization fits."""


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """Settings of one platform. ``secret_fields`` says of fields whether they must be references."""

    preconditions: Preconditions = field(default_factory=dict)
    secret_fields: Mapping[str, bool] = field(default_factory=dict)
    check: AuthorizationCheck | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """What Codat's team shall know for a managed migration."""


_NOTHING_SAID: Final = PlatformSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``workspace.yaml`` says; ``workspace.name`` is empty where it names none."""

    workspace: Workspace
    names: NamePolicy = NamePolicy.REFUSE
    connection_defaults: Mapping[str, Any] = field(default_factory=dict)
    preconditions: Preconditions = field(default_factory=dict)
    platforms: Mapping[str, PlatformSettings] = field(default_factory=dict)
    """By four-letter key."""
    named: tuple[str, ...] = ()
    """The platforms that it names, as written."""
    commands: SecretCommands = field(default_factory=SecretCommands)
    _merged: dict[str, Preconditions] = field(default_factory=dict, repr=False, compare=False)

    def platform(self, key: str) -> PlatformSettings:
        """The settings of a platform by its four-letter key."""
        return self.platforms.get(key, _NOTHING_SAID)

    def of_platform(self, key: str) -> Preconditions:
        """The preconditions of a platform's connections that say nothing of their own."""
        if key not in self._merged:
            self._merged[key] = {**self.preconditions, **self.platform(key).preconditions}
        return self._merged[key]


def preconditions(written: Mapping[str, str]) -> Preconditions:
    """The preconditions of a mapping that the schema has passed."""
    return {Precondition(name): PreconditionState(state) for name, state in written.items()}
