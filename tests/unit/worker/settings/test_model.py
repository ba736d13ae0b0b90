"""The worker's settings: where they come from, and what is said of wrong ones."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ajo_producers.contract.sealing import Sealer, new_key
from ajo_worker.settings import Settings, is_safe_url, read_settings
from ajo_worker.settings.source import SettingsError, source_of, variable_of

SECRET = "hunter2-very-secret"

Put = Callable[..., None]


@pytest.fixture(autouse=True)
def put(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Sets variables: ``put(prefetch="7")``; there are no others."""
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
        monkeypatch.delenv(f"{variable_of(name)}_FILE", raising=False)

    def set_variables(**values: str | Path) -> None:
        for name, value in values.items():
            monkeypatch.setenv(variable_of(name), str(value))

    return set_variables


def fault() -> str:
    with pytest.raises(SettingsError) as raised:
        read_settings()
    return str(raised.value)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f" {SECRET} \r\n", encoding="utf-8")
    return file


def test_the_defaults_are_good() -> None:
    found = read_settings()
    assert (found.budget_seconds, found.attempt_timeout, found.connect_timeout) == (60, None, 3)
    assert {source_of(name) for name in Settings.model_fields} == {"default"}


@pytest.mark.parametrize(
    "given",
    [
        "openid,AdobeID,x",
        "openid, AdobeID , x",
        " openid AdobeID\tx\n",
        "openid,,AdobeID,\n x,",
        "openid ,AdobeID\r\nx",
    ],
)
def test_scopes_hold_no_blanks_however_they_were_written(put: Put, given: str) -> None:
    put(scopes=given)
    assert read_settings().scopes == "openid,AdobeID,x"


def test_a_file_gives_a_value_less_its_line_end_and_nothing_else(put: Put, secret_file: Path) -> None:
    put(client_secret_file=secret_file)
    assert read_settings().client_secret.get_secret_value() == f" {SECRET} "
    assert source_of("client_secret") == "file"


def test_an_empty_variable_counts_as_unset(put: Put, secret_file: Path) -> None:
    put(prefetch="", client_secret="", client_secret_file=secret_file)
    found = read_settings()
    assert found.prefetch == 1000
    assert found.client_secret.get_secret_value() == f" {SECRET} "
    assert (source_of("prefetch"), source_of("client_secret")) == ("default", "file")


def test_a_variable_and_its_file_together_are_refused_since_one_of_them_is_a_mistake(
    put: Put, secret_file: Path
) -> None:
    put(client_secret=SECRET, client_secret_file=secret_file)
    assert fault() == "AJO_CLIENT_SECRET and AJO_CLIENT_SECRET_FILE are both set: unset one"


def test_a_file_that_cannot_be_read_is_named_with_the_reason(put: Put, tmp_path: Path) -> None:
    put(hash_key_file=tmp_path / "nothing")
    assert fault() == f"AJO_HASH_KEY_FILE: {tmp_path}/nothing: No such file or directory"
    put(hash_key_file=tmp_path)
    assert fault() == f"AJO_HASH_KEY_FILE: {tmp_path}: Is a directory"
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    put(hash_key_file=binary)
    assert fault() == f"AJO_HASH_KEY_FILE: {binary}: not UTF-8 text"


@pytest.mark.parametrize(
    "name",
    [
        "prefetch",
        "lanes",
        "visibility_timeout",
        "budget_seconds",
        "backoff_factor",
        "ambiguous_statuses",
        "http_adapter",
        "log_level",
        "log_format",
        "token_url",
        "base_url",
        "payload_keys",
    ],
)
def test_a_wrong_value_is_told_by_its_variable_and_never_by_itself(name: str, put: Put) -> None:
    put(**{name: SECRET})
    text = fault()
    assert text.startswith(f"{variable_of(name)}: ")
    assert str(Settings.model_fields[name].description) in text
    assert SECRET not in text


def test_several_wrong_values_are_told_together_a_line_each(put: Put) -> None:
    put(prefetch="0", log_format="xml", lanes="fast")
    assert [line.partition(":")[0] for line in fault().splitlines()] == ["AJO_LANES", "AJO_PREFETCH", "AJO_LOG_FORMAT"]


def test_lists_are_separated_by_commas_and_spaces_do_not_matter(put: Put) -> None:
    put(lanes=" high-throughput ", allowed_hosts="a.example.com, *.b.example.com,", ambiguous_statuses="502, 408")
    found = read_settings()
    assert found.lanes == ("high-throughput",)
    assert found.allowed_hosts == ("a.example.com", "*.b.example.com")
    assert found.ambiguous_statuses == {502, 408}


def test_an_owner_is_not_given_up_before_three_heartbeats(put: Put) -> None:
    put(heartbeat_seconds="5", owner_timeout="15")
    assert read_settings().owner_timeout == 15
    put(owner_timeout="14.9")
    assert fault() == "AJO_OWNER_TIMEOUT must be at least three times AJO_HEARTBEAT_SECONDS"


def test_payload_keys_come_from_a_list_or_from_the_lines_of_a_file(put: Put, tmp_path: Path) -> None:
    keys = [new_key(), new_key()]
    file = tmp_path / "payload_keys"
    file.write_text("\n".join(keys) + "\n", encoding="utf-8")
    put(payload_keys_file=file)
    from_file = read_settings().payload_keys.get_secret_value()
    put(payload_keys=", ".join(keys), payload_keys_file="")
    from_list = read_settings().payload_keys.get_secret_value()
    assert Sealer.from_keys(from_file).key_ids == Sealer.from_keys(from_list).key_ids
    assert not any(key in f"{read_settings()!r}" for key in keys)


def test_a_wrong_payload_key_is_told_by_its_place_and_no_key_is_shown(put: Put) -> None:
    good, wrong = new_key(), new_key()[:-2]
    put(payload_keys=f"{good},{wrong}")
    text = fault()
    assert text.startswith(
        "AJO_PAYLOAD_KEYS: key 2 of 2 is no Fernet key: 'ajo-dispatch keys new' makes one (keys of held payloads"
    )
    assert good not in text
    assert wrong not in text


@pytest.mark.parametrize("content", ["", "\n", " , \n"])
def test_a_file_without_a_payload_key_is_refused_since_payloads_would_be_plain(
    put: Put, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "payload_keys"
    file.write_text(content, encoding="utf-8")
    put(payload_keys_file=file)
    assert fault().startswith("AJO_PAYLOAD_KEYS_FILE: has no key; unset it to store payloads plain (")


@pytest.mark.parametrize(
    "url",
    ["https://example.com/token", "http://localhost:8080", "http://127.0.0.1/x", "http://127.8.8.8", "http://[::1]:1/"],
)
def test_credentials_travel_over_https_or_inside_this_machine(url: str, put: Put) -> None:
    assert is_safe_url(url)
    put(token_url=url, base_url=url)
    assert read_settings().base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://2130706433",
        "ftp://localhost/",
        "https://",
        "https://ada@example.com",
        "https://:hunter2@example.com",
        "https://example.com/?a=1",
        "https://example.com/#a",
        "//example.com",
        "example.com",
        "",
    ],
)
def test_no_other_address_gets_them(url: str) -> None:
    assert not is_safe_url(url)


def test_no_secret_is_in_the_text_of_the_settings(put: Put) -> None:
    put(
        client_secret=SECRET, hash_key=SECRET, broker_url=f"amqp://a:{SECRET}@h/", database_url=f"postgresql://{SECRET}"
    )
    found = read_settings()
    assert SECRET not in f"{found!r}{found}"
