"""Settings from `EVENTFLOW_*` variables, each declared once. No I/O but for reading files that hold secrets."""

from eventflow.settings.asset_limits import AssetLimits
from eventflow.settings.declare import Section, Setting
from eventflow.settings.delivery import DeliverySettings
from eventflow.settings.finished_jobs import FinishedJobsSettings
from eventflow.settings.service_access import ServiceAccess
from eventflow.settings.services import PlannerSettings, RemoteSettings
from eventflow.settings.settings import (
    Environment,
    Settings,
    SettingsError,
    current_names,
    load_settings,
    reference,
)
from eventflow.settings.speech import Fallback, ServiceVoice, SpeechSettings
from eventflow.settings.web import ANY_ORIGIN, WebSettings, is_loopback

__all__ = [
    "ANY_ORIGIN",
    "AssetLimits",
    "DeliverySettings",
    "Environment",
    "Fallback",
    "FinishedJobsSettings",
    "PlannerSettings",
    "RemoteSettings",
    "Section",
    "ServiceAccess",
    "ServiceVoice",
    "Setting",
    "Settings",
    "SettingsError",
    "SpeechSettings",
    "WebSettings",
    "current_names",
    "is_loopback",
    "load_settings",
    "reference",
]
