"""The environment of settings, and the faults that they report."""

from __future__ import annotations

import pytest

from eventflow.settings import SettingsError, load_settings


def env(**variables: str) -> dict[str, str]:
    """Return variables by their names without the prefix `EVENTFLOW_`."""
    return {f"EVENTFLOW_{name}": value for name, value in variables.items()}


def faults(**variables: str) -> list[str]:
    """Return the faults of settings that are refused."""
    with pytest.raises(SettingsError) as caught:
        load_settings(env(**variables))
    assert str(caught.value).splitlines() == caught.value.faults
    return caught.value.faults
