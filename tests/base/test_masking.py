"""What nobody should pass on: credentials, wherever they stand, and whose home a path is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.masking import REMOVED, masked, without_homes


def test_credentials_are_masked_and_counted() -> None:
    secret = "AKIA" + "QZ7RT5WXKJ2MNB4L"

    assert masked(f"a {secret} b {secret}") == (f"a {REMOVED} b {REMOVED}", 2)
    assert masked("nothing") == ("nothing", 0)


@pytest.mark.parametrize("ending", ["-----END RSA PRIVATE KEY-----", ""])
def test_of_a_private_key_nothing_is_left(ending: str) -> None:
    lines = "\n".join(f"MIIE{n}qX7vRbKp2LmZs9TwYc4/NdHf+GjUa83EoIkQxVtByCu6" for n in range(5))
    begin = "-----BEGIN RSA " + "PRIVATE KEY-----"

    text, count = masked(f"key:\n{begin}\n{lines}\n{ending}")

    assert count == 1
    assert "MIIE" not in text
    assert text.startswith(f"key:\n{REMOVED}")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: hunter2, then go", "hunter2"),
        ("DB_PASSWORD=Tr0ub4dor&3", "Tr0ub4dor&3"),
        ("TOKEN=9f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d659a2feaa0c55ad015"),
        ("export OPENAI_KEY=abcdEFGH1234ijkl5678", "abcdEFGH1234ijkl5678"),
        ("AccountKey=abc0123/x+yz==;Suffix=core", "abc0123/x+yz=="),
        ("mysql -u root -pS3cretPw99 db", "S3cretPw99"),
        ("curl -u admin:S3cretPw99 http://x", "S3cretPw99"),
        ("curl --user 'admin:S3cretPw99' http://x", "S3cretPw99"),
        ("sshpass -p hunter2 ssh x", "hunter2"),
        ("docker login -u me -p s3cret", "s3cret"),
        ("tool --api-key abcdef --password=open-sesame", "open-sesame"),
        ('{"password": "two words", "x": 1}', "two words"),
        ("password='hunter2'", "hunter2"),
        ("client_secret => 'abc'", "abc"),
        ("the password is hunter2.", "hunter2"),
        ("set `password` to `hunter2`", "hunter2"),
        ("login with password hunter2!", "hunter2"),
        ("Authorization: Bearer abc", "abc"),
        ("postgres://me:postgres@db/x", "postgres@"),
        ("Passwort: geheim", "geheim"),
        ("密码：abc", "abc"),
        ("Cookie: session=abc; other=1", "abc; other=1"),
    ],
)
def test_what_is_called_a_secret_is_masked(text: str, secret: str) -> None:
    shown, count = masked(text)

    assert secret not in shown
    assert count >= 1
    assert masked(shown) == (shown, 0)


@pytest.mark.parametrize(
    "text",
    [
        "the password is wrong, and the token has expired",
        "fix the token count in tokens.py; max_tokens: 4096",
        "def login(password: str, token=None) -> None",
        "password=$PW, token: ${TOKEN}, password: <your password>, secret=***",
        "primary_key=True; sort(key=len); cache key: name",
        "docker run -p8080:80 x; mkdir -p foo; tar -u a",
        "reset_password(user) in auth/token.py",
        "tokenizer: bert-base, secretary: Bob",
        "see https://example.com:8080/a@b",
    ],
)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert masked(text) == (text, 0)


def test_the_narrow_net_leaves_words_alone() -> None:
    secret = "AKIA" + "QZ7RT5WXKJ2MNB4L"

    assert masked(f"password: ask {secret}", wide=False) == (f"password: ask {REMOVED}", 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("open '/home/alex/x.py'", "open '~/x.py'"),
        ("/Users/alex/a and /Users/sam", "~/a and ~"),
        ("file:///home/alex/x", "file://~/x"),
        (r"C:\Users\John Smith\x or c:/Users/sam/y", r"~\x or ~/y"),
        (r"C:\\Users\\sam\\y", r"~\\y"),
        ("/mnt/c/Users/sam/y", "~/y"),
        ("https://a.example/home/foo, /app/home/foo, ~/home/x", "https://a.example/home/foo, /app/home/foo, ~/home/x"),
    ],
)
def test_a_home_folder_has_no_name(text: str, shown: str) -> None:
    assert without_homes(text) == shown


@given(st.text(max_size=300) | st.text(alphabet="password tokn:='\"`-u@/\n1", max_size=300))
def test_what_is_masked_is_counted(text: str) -> None:
    shown, count = masked(text)

    assert (shown == text) == (not count)
    assert shown.count(REMOVED) == text.count(REMOVED) + count


@pytest.mark.parametrize(
    "atom", ["password ", "token=", "-u a:", "mysql -p", "key=", "://a:", "a", " ", "/home/a", "a_"]
)
def test_a_long_hostile_text_is_read_through(atom: str) -> None:
    text = "pass key token mysql login " + atom * (100_000 // len(atom))

    assert len(without_homes(masked(text)[0])) > 0
