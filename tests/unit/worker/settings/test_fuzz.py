"""Whatever the environment holds, reading the settings gives settings or its own exception, which shows no value.

``AJO_FUZZ_EXAMPLES=100000`` tries longer.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from ajo_worker.doctor.settings import readable_settings
from ajo_worker.settings import Settings, read_settings
from ajo_worker.settings.listing import check_settings
from ajo_worker.settings.source import PREFIX, SettingsError, variable_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples

MARK = "hunter2-very-secret"
NAMES = sorted(Settings.model_fields)

# What an environment can hold: any bytes but the one with the number 0, which Python shows as text.
raw = st.binary(max_size=12).map(lambda value: os.fsdecode(value.replace(b"\0", b"")))
ADDRESSES = [name for name in NAMES if name.endswith("_url")]
NUMBERS = ["0", "1", "-1", "15", "1e3", "1e400", "-0", "nan", "inf", "0x10", "1_000", "５", "9" * 5000]
LISTS = [",", ",,", "502,504", "502,", "standard", "standard,standard", "true", "null", "{}", "[]", "json", "DEBUG"]
URLS = [
    "http://[",
    "https://a:b",
    "https://a:99999",
    "https://ａ.example.com",
    "http://::1/",
    "https://@",
    "http://127.1",
]
words = st.sampled_from([*NUMBERS, *LISTS, *URLS])
marked = st.builds(lambda before, after: f"{before}{MARK}{after}", raw | words, raw | words)
hosts = st.sampled_from(
    [f"{MARK}", f"a:{MARK}", f"[{MARK}", f"[{MARK}]", f"{MARK}@a", f"{MARK}:x@a", f"a/?{MARK}", f"a#{MARK}"]
)
addresses = st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "amqp", ""]), hosts | words, raw)
values = raw | words | marked | addresses
environments = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
fuzz = settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(variables: Mapping[str, str]) -> tuple[Settings | None, str]:
    """The settings in an environment of these variables alone, or None and what is wrong."""
    others = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    with patch.dict(os.environ, {**others, **variables}, clear=True):
        try:
            return read_settings(), ""
        except SettingsError as error:
            return None, str(error)


def check(variables: Mapping[str, str]) -> None:
    """Whatever becomes of it, no value is shown."""
    found, faults = read(variables)
    told = f"{found.client_secret!r}{found.hash_key}{found.broker_url!r}{found.database_url}" if found else faults
    assert told
    assert MARK not in told


@fuzz
@given(environments)
@example({"base_url": "http://[", "token_url": f"https://{MARK}:x/"})
@example({"lanes": MARK, "ambiguous_statuses": MARK, "campaigns": "\udcff"})
def test_values_of_any_kind_give_settings_or_faults_without_values(environment: dict[str, str]) -> None:
    check({variable_of(name): value for name, value in environment.items()})


@settings(fuzz, max_examples=examples(50))
@given(environments)
@example({"owner_timeout": "3", "heartbeat_seconds": "2"})
@example({"retention_days": "30", "prefetch": "0"})
def test_a_worker_settings_and_the_doctor_have_one_verdict_over_any_values(environment: dict[str, str]) -> None:
    variables = {variable_of(name): value for name, value in environment.items()}
    found, _ = read(variables)
    others = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    with patch.dict(os.environ, {**others, **variables}, clear=True):
        assert check_settings([]).ok == (readable_settings().wrong == frozenset()) == (found is not None)


@fuzz
@given(st.tuples(st.sampled_from(NAMES), values) | st.tuples(st.sampled_from(ADDRESSES), addresses))
def test_a_setting_of_any_value_gives_settings_or_a_fault_without_it(setting: tuple[str, str]) -> None:
    name, value = setting
    check({variable_of(name): value})


@fuzz
@given(st.sampled_from(NAMES), st.binary(max_size=40) | marked.map(os.fsencode))
def test_a_file_of_any_content_gives_a_setting_or_a_fault_without_its_content(
    tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / "value"
    file.write_bytes(content)
    check({f"{variable_of(name)}_FILE": str(file)})


@fuzz
@given(st.sampled_from(NAMES), raw)
def test_a_file_of_any_name_gives_a_setting_or_a_fault(tmp_path: Path, name: str, file: str) -> None:
    check({f"{variable_of(name)}_FILE": f"{tmp_path}/{file}"})
