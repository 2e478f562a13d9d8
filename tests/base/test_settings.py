"""Settings: which value wins, where it came from, and what is said about one that cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memscope.base.errors import SettingsError
from memscope.base.settings import (
    SESSION,
    Settings,
    api_key,
    as_text,
    changed,
    config_path,
    data_dir,
    from_text,
    resolve,
    save,
)


@pytest.fixture
def write() -> object:
    """`write(text)` makes it the settings file."""

    def write(text: str | bytes) -> Path:
        path = config_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEMSCOPE_SKILLS_FOLDER")  # which keeps other tests out of the home folder


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
        ("glyphs = 'braille'", "glyphs cannot be 'braille'"),
        ("[keys]\nmove.up = 'w'", "an id with a dot needs quotes"),
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


def test_tables_come_from_the_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_KEYS", "find = 'f'")
    monkeypatch.setenv("MEMSCOPE_PATTERNS", "x")
    resolved = resolve()
    assert (resolved.settings.keys, resolved.settings.patterns) == ({}, {})
    assert resolved.origins["keys"] == resolved.origins["patterns"] == "default"


def test_a_value_changed_for_the_session_says_so_and_touches_no_file(write) -> None:
    write("workers = 3\n")
    before = resolve()
    after = changed(before, "workers", from_text("workers", " 8 "))
    assert (after.settings.workers, after.origins["workers"]) == (8, SESSION)
    assert (before.settings.workers, before.origins["workers"]) == (3, f"file {config_path()}")
    assert resolve() == before


def test_classic_mode_brings_its_context_and_takes_it_away_again(write) -> None:
    write('threshold = 0.5\ncontext = "full"\n')
    before = resolve()
    classic = changed(before, "compat", "classic")
    assert (classic.settings.context, classic.settings.threshold) == ("window", 0.01)
    assert classic.origins["context"] == classic.origins["threshold"] == "compat classic"
    after = changed(classic, "compat", "")
    assert (after.settings, after.origins) == (before.settings, {**before.origins, "compat": SESSION})


def test_classic_mode_leaves_alone_what_a_person_said(write) -> None:
    write("threshold = 0.5\n")
    said = changed(resolve({"threshold": 2.0}), "context", "full")
    classic = changed(said, "compat", "classic")
    assert (classic.settings.context, classic.settings.threshold) == ("full", 2.0)
    after = changed(classic, "compat", "")
    assert (after.settings.context, after.settings.threshold) == ("full", 2.0)


def test_a_value_chosen_in_classic_mode_stays_when_it_ends() -> None:
    classic = changed(resolve({"compat": "classic"}), "threshold", 3.0)
    after = changed(classic, "compat", "")
    assert (after.settings.context, after.settings.threshold) == ("full", 3.0)


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("workers", "many", "workers cannot be 'many'"),
        ("threshold", "-1", "greater than or equal to 0"),
        ("keys", "find = 'f'", 'It is written as {name = "text", other = "text"}.'),
        ("keys", "{move.up = 'w'}", "an id with a dot needs quotes"),
        ("base_url", "http://me:s3cret@host", "MEMSCOPE_API_KEY"),
    ],
)
def test_what_is_typed_passes_the_same_checks(name: str, typed: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        changed(resolve(), name, from_text(name, typed))
    assert said in str(refused.value)
    assert "default" not in str(refused.value)
    assert "s3cret" not in str(refused.value)


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES = st.one_of(
    st.tuples(st.sampled_from(["keys", "patterns"]), st.dictionaries(_WORDS, _WORDS, max_size=4)),
    st.tuples(st.just("rules_off"), st.lists(st.sampled_from(["fenced", "tool", "heading"])).map(tuple)),
    st.tuples(st.just("threshold"), st.floats(0, 1e9)),
    st.tuples(st.just("timeout"), st.none() | st.floats(1e-9, 1e9)),
    st.tuples(st.just("workers"), st.none() | st.integers(1, 256)),
    st.tuples(st.sampled_from(["store", "thinking"]), st.booleans()),
    st.tuples(st.just("model"), _WORDS.map(str.strip)),
)


@given(_VALUES)
def test_a_value_written_as_a_person_would_is_read_back(given_value: tuple[str, object]) -> None:
    name, value = given_value
    assert getattr(changed(resolve(), name, from_text(name, as_text(value))).settings, name) == value


@given(st.lists(_VALUES, max_size=5))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_is_what_is_read_and_the_rest_stays(values: list[tuple[str, object]]) -> None:
    config_path().parent.mkdir(parents=True, exist_ok=True)
    config_path().write_text('# mine\nengine = "score-api" # why\n\n[patterns]\n"a.b" = "x" # the first\n')
    wanted = resolve().settings
    for name, value in values:
        assert save(name, value) == config_path()
        wanted = wanted.model_copy(update={name: value})
    assert resolve().settings == wanted
    assert '# mine\nengine = "score-api" # why\n' in config_path().read_text()


def test_saving_keeps_the_spelling_the_comments_and_the_newlines(write) -> None:
    path = write("# top\r\nbase-url = 'http://a' # ours\r\n[keys]\r\nfind = 'f' # easier\r\ncopy = 'c'\r\n")
    save("base_url", "http://b")
    save("keys", {"find": "f", "move.up": "w"})
    written = path.read_bytes().decode()
    assert written.startswith('# top\r\nbase-url = "http://b" # ours\r\n')
    assert "find = 'f' # easier\r\n" in written
    assert "base_url" not in written
    assert resolve().settings.keys == {"find": "f", "move.up": "w"}


def test_unsetting_takes_the_line_out(write) -> None:
    path = write("timeout = 3\nworkers = 2\n")
    save("timeout", None)
    assert path.read_text() == "workers = 2\n"


def test_the_first_setting_makes_the_file_for_its_owner_alone() -> None:
    path = save("theme", "nord")
    assert path.read_text() == 'theme = "nord"\n'
    assert [child.name for child in path.parent.iterdir()] == ["config.toml"]
    if os.name != "nt":
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_stays_a_link_and_the_rights_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("workers = 2\n")
    real.chmod(0o644)
    config_path().parent.mkdir(parents=True)
    config_path().symlink_to(real)
    save("workers", 4)
    assert config_path().is_symlink()
    assert real.read_text() == "workers = 4\n"
    assert real.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("text", ["engine = ", "[[keys]]\nfind = 'f'\n"])
def test_a_file_that_is_not_understood_is_left_alone(text: str, write) -> None:
    path = write(text)
    with pytest.raises(SettingsError, match="settings"):
        save("keys", {"find": "g"})
    assert path.read_text() == text


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match=r"config\.toml: the settings cannot be (read|written)"):
        save("theme", "nord")


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "MEMSCOPE_API_KEY", "MEMSCOPE_CHAT_API_KEY"])
def test_the_key_is_never_written(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "sesame-open")
    for name, value in [("model", "sesame-open"), ("patterns", {"x": "a sesame-open b"}), ("api_key", "sesame-open")]:
        with pytest.raises(SettingsError, match="MEMSCOPE_API_KEY") as refused:
            save(name, value)
        assert "sesame-open" not in str(refused.value)
    assert not config_path().exists()
