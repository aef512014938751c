"""Grafana dashboards as data: panels, variables, and the JSON that Grafana imports.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

SCHEMA_VERSION: Final = 39
"""That of Grafana 10.4 and 11.0; newer ones migrate it."""
_DATA_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS: Final = 2
_GRID_WIDTH: Final = 24
_PANEL_HEIGHT: Final = 8


@dataclass(frozen=True)
class Query:
    """One line, or one per value of the labels that the expression keeps."""

    expression: str
    """PromQL."""
    legend: str
    """Name of the line, with labels as `{{label}}`."""


@dataclass(frozen=True)
class Panel:
    """A graph over time."""

    title: str
    unit: str
    """As Grafana names it: s, short, reqps, percent, percentunit, watt, mbytes."""
    description: str
    """What to read from it."""
    queries: tuple[Query, ...]


@dataclass(frozen=True)
class Variable:
    """A choice at the head of a dashboard, filled from Prometheus."""

    name: str
    query: str
    """A query of Grafana's, such as `label_values(series, label)`."""
    regex: str = ""
    """Cuts what is offered out of what is found."""
    multiple: bool = False
    """Whether several, or all, may be chosen."""


@dataclass(frozen=True)
class Dashboard:
    """A page of panels, two in a row."""

    uid: str
    title: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]

    def model(self) -> dict[str, Any]:
        """The JSON model that Grafana imports."""
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["ack-inference"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_data_source(), *map(_variable, self.variables)]},
            "panels": _panels(self.panels),
        }


def _data_source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": _DATA_SOURCE,
        "definition": variable.query,
        "query": {"query": variable.query, "refId": variable.name},
        "regex": variable.regex,
        # 2: asked for again whenever the range of time changes, because models come and go.
        "refresh": 2,
        "sort": 1,
        "multi": variable.multiple,
        "includeAll": variable.multiple,
    }


def _panels(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    width = _GRID_WIDTH // _COLUMNS
    return [
        {
            "id": position + 1,
            "type": "timeseries",
            "title": panel.title,
            "description": panel.description,
            "datasource": _DATA_SOURCE,
            "gridPos": {
                "x": position % _COLUMNS * width,
                "y": position // _COLUMNS * _PANEL_HEIGHT,
                "w": width,
                "h": _PANEL_HEIGHT,
            },
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {
                    "refId": chr(ord("A") + index),
                    "datasource": _DATA_SOURCE,
                    "expr": query.expression,
                    "legendFormat": query.legend,
                }
                for index, query in enumerate(panel.queries)
            ],
        }
        for position, panel in enumerate(panels)
    ]
