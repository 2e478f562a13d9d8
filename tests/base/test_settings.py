"""Settings: which value wins, where it came from, and what is said about one that cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memscope.base.errors import SettingsError
from memscope.base.settings import Settings, api_key, config_path, data_dir, resolve


@pytest.fixture
def write() -> object:
    """`write(text)` makes it the settings file."""

    def write(text: str | bytes) -> Path:
        path = config_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refusal(**flags: object) -> str:
    with pytest.raises(SettingsError) as refused:
        resolve(flags)
    return str(refused.value)


def test_without_anything_all_is_default() -> None:
    resolved = resolve()
    assert resolved.settings == Settings()
    assert resolved.origins == dict.fromkeys(Settings.model_fields, "default")


def test_flag_beats_environment_beats_file_beats_default(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('engine = "filed"\nmodel = "filed"\nbase_url = "http://filed"\n')
    monkeypatch.setenv("MEMSCOPE_MODEL", "environed")
    monkeypatch.setenv("MEMSCOPE_BASE_URL", "http://environed")
    resolved = resolve({"base_url": "http://flagged", "workers": None})
    assert resolved.settings == Settings(engine="filed", model="environed", base_url="http://flagged")
    assert {name: origin for name, origin in resolved.origins.items() if origin != "default"} == {
        "engine": f"file {path}",
        "model": "environment MEMSCOPE_MODEL",
        "base_url": "flag --base-url",
    }


def test_a_flag_that_is_false_or_zero_was_given(write) -> None:
    write("store = true\nthreshold = 0.5\n")
    settings = resolve({"store": False, "threshold": 0.0}).settings
    assert (settings.store, settings.threshold) == (False, 0.0)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("WORKERS", "8", 8),
        ("THRESHOLD", "0.5", 0.5),
        ("TIMEOUT", "30", 30.0),
        ("STORE", "false", False),
        ("THINKING", "1", True),
        ("RULES_OFF", "fenced, tool", ("fenced", "tool")),
    ],
)
def test_the_environment_speaks_in_texts(name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MEMSCOPE_{name}", text)
    assert getattr(resolve().settings, name.lower()) == value


def test_an_empty_variable_is_not_set(write, monkeypatch: pytest.MonkeyPatch) -> None:
    write('model = "filed"')
    monkeypatch.setenv("MEMSCOPE_MODEL", "")
    assert resolve().settings.model == "filed"


def test_hyphens_and_tables_in_the_file(write) -> None:
    write('base-url = "http://filed"\nrules-off = ["tool"]\n[patterns]\nmine = "^(?P<key>k): (?P<text>.*)$"\n')
    settings = resolve().settings
    assert settings.base_url == "http://filed"
    assert settings.rules_off == ("tool",)
    assert settings.patterns == {"mine": "^(?P<key>k): (?P<text>.*)$"}


def test_the_address_others_use_comes_after_our_own(write, monkeypatch: pytest.MonkeyPatch) -> None:
    write('base_url = "http://filed"')
    monkeypatch.setenv("OPENAI_BASE_URL", "http://theirs")
    resolved = resolve()
    assert (resolved.settings.base_url, resolved.origins["base_url"]) == (
        "http://theirs",
        "environment OPENAI_BASE_URL",
    )
    monkeypatch.setenv("MEMSCOPE_BASE_URL", "http://ours")
    assert resolve().settings.base_url == "http://ours"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("worker = 3", "Did you mean workers?"),
        ("base-ulr = 'x'", "Did you mean base_url?"),
        ("colour = 'red'", "There are: engine, base_url, "),
        ("workers = 'many'", "workers cannot be 'many'"),
        ("workers = 0", "greater than or equal to 1"),
        ("workers = 257", "less than or equal to 256"),
        ("timeout = 0", "greater than 0"),
        ("timeout = nan", "finite"),
        ("threshold = -1", "greater than or equal to 0"),
        ("store = 'perhaps'", "valid boolean"),
        ("engine = 5", "engine cannot be 5"),
        ("[model]\nx = 1", "model cannot be {'x': 1}"),
        ("rules_off = 'fenced'", "rules_off cannot be 'fenced'"),
        ("[patterns]\nmine = 1", "patterns cannot be 1"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_file(written: str, said: str, write) -> None:
    path = write(written)
    refused = refusal()
    assert str(path) in refused
    assert said in refused


@pytest.mark.parametrize(
    "written",
    [b"engine = ", b"engine = 'a'\nengine = 'b'", b"\xff\xfe\x00", "model = 'é'".encode("latin-1")],
)
def test_a_file_that_is_no_toml_is_named(written: bytes, write) -> None:
    path = write(written)
    assert refusal().startswith(f"{path}: the settings are not valid TOML: ")


@pytest.mark.parametrize("written", ["workers = " + "9" * 5000, "engine = " + "[" * 20_000])
def test_a_file_beyond_all_measure_is_refused_like_any_other(written: str, write) -> None:
    write(written)
    assert "not valid TOML" in refusal()


def test_a_folder_where_the_file_should_be() -> None:
    config_path().mkdir(parents=True)
    assert refusal().startswith(f"{config_path()}: the settings cannot be read")


def test_a_wrong_value_names_the_variable_or_the_flag_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(workers=0).startswith("flag --workers: ")
    monkeypatch.setenv("MEMSCOPE_TIMEOUT", "soon")
    assert refusal().startswith("environment MEMSCOPE_TIMEOUT: timeout cannot be 'soon'")


def test_folders_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_dir() == tmp_path / "data"
    assert config_path() == tmp_path / "config" / "config.toml"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MEMSCOPE_DATA_DIR", "~/elsewhere")
    assert data_dir() == tmp_path / "elsewhere"


@pytest.mark.skipif(os.name == "nt", reason="a ~ of somebody else is a Unix notion")
def test_the_home_of_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_DATA_DIR", "~no-such-person/x")
    with pytest.raises(SettingsError, match="environment MEMSCOPE_DATA_DIR: there is no folder ~no-such-person/x"):
        data_dir()


def test_without_being_moved_the_folders_are_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMSCOPE_DATA_DIR", "MEMSCOPE_CONFIG_DIR"):
        monkeypatch.delenv(name)
    assert "memscope" in str(data_dir())
    assert config_path().name == "config.toml"


def test_the_key_comes_from_our_variable_then_from_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert api_key() == ("", "")
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert api_key() == ("theirs", "OPENAI_API_KEY")
    monkeypatch.setenv("MEMSCOPE_API_KEY", " ours\n")
    assert api_key() == ("ours", "MEMSCOPE_API_KEY")
    monkeypatch.setenv("MEMSCOPE_API_KEY", "  ")
    assert api_key() == ("theirs", "OPENAI_API_KEY")


def test_a_credential_in_the_address_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:s3cret@host/v1")
    refused = refusal()
    assert refused.startswith("environment OPENAI_BASE_URL: ")
    assert "MEMSCOPE_API_KEY" in refused
    assert "s3cret" not in refused


def test_the_key_is_no_setting(write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "sesame-open")
    resolved = resolve()
    assert "sesame-open" not in repr(resolved) + resolved.settings.model_dump_json()
    write("api-key = 'sesame-open'")
    refused = refusal()
    assert "MEMSCOPE_API_KEY" in refused
    assert "sesame-open" not in refused
