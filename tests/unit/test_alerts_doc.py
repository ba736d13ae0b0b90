"""docs/alerts.md says of every alert what the migration says, names every metric, and shows YAML that is YAML."""

import re
from pathlib import Path

import pytest
import yaml
from ajo_worker.metrics.figures import FIGURES
from ajo_worker.metrics.scrape import Scrape, told
from ajo_worker.views.alerts import Alert, Alerts

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
SQL = (ROOT / "migrations/sql/0001_ledger/11_alerts.sql").read_text(encoding="utf-8")
THRESHOLDS = re.findall(r"\('([a-z-]+)', ([\d.]+), (NULL|\d+), '([a-z]+)', '([a-z-]+)',\s+'", SQL)
AUDIENCES = re.findall(r"\n    \('([a-z-]+)', '([a-z-]+)'\)", SQL)


@pytest.mark.parametrize(("alert", "threshold", "floor", "severity", "audience"), THRESHOLDS)
def test_every_alert_has_its_row(alert: str, threshold: str, floor: str, severity: str, audience: str) -> None:
    (row,) = re.findall(rf"^\| `{alert}` \|.*$", TEXT, re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[3:6] == [threshold, floor.replace("NULL", "–"), severity]
    assert cells[6].split(",")[0] == audience


def test_every_reason_has_its_audience() -> None:
    rows = dict(re.findall(r"^\| ([a-z-]+) \| (`.*`) \|$", TEXT, re.MULTILINE))
    told_audiences = {
        (reason, audience) for audience, reasons in rows.items() for reason in re.findall("`(.*?)`", reasons)
    }
    assert told_audiences == set(AUDIENCES)


def test_every_metric_and_every_field_is_named() -> None:
    metrics = {family.name for figure in FIGURES for family in figure.families([])}
    named = set(re.findall(r"`(\w+)`", TEXT))
    assert metrics | {family.name for family in told(Scrape())} <= named
    assert {*Alert.__struct_fields__, *Alerts.__struct_fields__} <= named


def test_the_examples_are_yaml() -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
    assert [next(iter(block)) for block in blocks] == ["scrape_configs", "groups", "route"]
