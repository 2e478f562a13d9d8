"""What looks like a credential is found with its kind and place, placeholders are not, and hostile text ends, too."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.secrets import Credential, credentials

# Made up, and put together here so that no file holds what looks like a key.
MIXED = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3dE5f"
LOWER = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
DIGITS = "1029384756"

KEYS = {
    "AWS access key": "AKIA" + "Q4ZT7WLM2XKD5RBN",
    "GitHub token": "ghp_" + MIXED[:36],
    "GitLab token": "glpat-" + MIXED[:20],
    "Slack token": "xoxb-" + DIGITS + "-" + DIGITS + "-" + MIXED[:24],
    "Slack webhook": "https://hooks.slack.com/services/" + "T0AB1CD2E/B0FG3HI4J/" + MIXED[:24],
    "Anthropic key": "sk-ant-" + "api03-" + MIXED,
    "OpenAI key": "sk-" + "proj-" + MIXED,
    "Google API key": "AIza" + MIXED[:35],
    "Google OAuth token": "ya29." + MIXED,
    "Google OAuth secret": "GOCSPX-" + MIXED[:28],
    "Stripe key": "sk_" + "live_" + MIXED[:24],
    "webhook secret": "whsec_" + MIXED[:32],
    "npm token": "npm_" + MIXED[:36],
    "PyPI token": "pypi-" + "AgEIcHlwaS5vcmc" + MIXED,
    "Hugging Face token": "hf_" + MIXED[:34],
    "SendGrid key": "SG." + MIXED[:22] + "." + (MIXED + MIXED)[:43],
    "DigitalOcean token": "dop_v1_" + LOWER + LOWER,
    "JSON web token": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + "." + MIXED,
}
PRIVATE = "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "Proc-Type: 4,ENCRYPTED\n\n" + MIXED + MIXED + "\n"
MORE = [
    ("GitHub token", "github_pat_" + MIXED + "_" + MIXED),
    ("Slack token", "xapp-1-" + MIXED),
    ("OpenAI key", "sk-" + MIXED),
]


@pytest.mark.parametrize(("kind", "key"), [*KEYS.items(), *MORE], ids=lambda value: str(value)[:24])
@pytest.mark.parametrize("around", ["{}", "the key is {}, keep it", '{{"x": "{}"}}', "é\n{}\n", "KEY={}\\n"])
def test_a_known_shape_is_found_where_it_stands(kind: str, key: str, around: str) -> None:
    text = around.format(key)

    (found,) = credentials(text)

    assert found.kind == kind
    assert key.endswith(text[found.start : found.end])
    assert text.index(key) <= found.start
    assert found.end == text.index(key) + len(key)


@pytest.mark.parametrize("text", [PRIVATE, PRIVATE.replace("\n", "\\n"), PRIVATE.replace("RSA ", "")])
def test_a_private_key_is_found_with_real_and_with_written_newlines(text: str) -> None:
    assert [found.kind for found in credentials(f"here:\n{text}")] == ["private key"]


@pytest.mark.parametrize(
    "text",
    [
        'password = "hunter2-and-7-more"',
        "{'api_key': 'k3yb0ard-9917'}",
        '{"client_secret": "9f8e7d6c5b4a"}',
        r"{\"password\": \"c0rrect-h0rse\"}",
        "DB_PASSWORD=tr0ub4dor-and-3-more",
        "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI7MDENGbPxRfiCYzz9Q1",
        "secret_key: a8f5f167f44f4964e6c998dee827110c",
        'config["auth_token"] = "f00-ba7-8a2-qu0x"',
    ],
)
def test_a_long_mixed_value_under_a_telling_name_is_found(text: str) -> None:
    assert [found.kind for found in credentials(text)] == ["secret value"]


def test_headers_and_addresses_with_passwords_are_found() -> None:
    header = f"curl -H 'Authorization: Bearer {MIXED}' https://example.org"
    basic = f"Authorization: Basic {MIXED}"
    address = "postgres://app:" + "s3cr3t-9" + "@db.internal:5432/x"

    assert [found.kind for found in credentials(header)] == ["authorization header"]
    assert [found.kind for found in credentials(basic)] == ["authorization header"]
    assert [(found.kind, address[found.start : found.end]) for found in credentials(address)] == [
        ("password in an address", "s3cr3t-9")
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("sk-<your-key>", "sk-your-key-here-1234567890", "ghp_" + "x" * 36, "AKIAIOSFODNN7EXAMPLE", "sk-REDACTED"),
        *("hf_" + "a" * 34, "npm_" + "0" * 36, "xoxb-your-token-goes-here-123", "glpat-xxxxxxxxxxxxxxxxxxxx"),
        *(
            'password = "${DB_PASSWORD}"',
            'api_key = "<api-key-1>"',
            "PASSWORD={{ vault.pass1234 }}",
            'secret = "********"',
        ),
        *("Authorization: Bearer <token>", "Authorization: Bearer $TOKEN", "Bearer of bad news from the 21st century"),
        *("postgres://user:password@localhost/db", "redis://:${PASS}@host", "postgres://postgres:postgres@db/x"),
        *("https://example.org:8080/a@b", "http://[::1]:8000/", "ssh://git@github.com:22/x"),
        *(
            "password: str = Field(min_length=12)",
            "token = get_token(user1, password2)",
            "secret: Optional[str1] = None",
        ),
        *(
            'password_hash = "x"',
            'password = "required"',
            "The password policy: at least 12 characters",
            "max_tokens=4096",
        ),
        *(
            "secret = /run/secrets/db1-password",
            'api_key = os.environ["OPENAI_API_KEY_2"]',
            "secret=self.options.secret1x",
        ),
        *("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----\n" + MIXED),
        *("sk-circle-fade-dot sk-chasing-dots-and-more-dots", "task-4711-and-a-long-name-behind-it", "eyJ", "AKIA", ""),
        *("sha256-" + LOWER, LOWER, f"git show {LOWER}", "550e8400-e29b-41d4-a716-446655440000"),
    ],
)
def test_placeholders_code_and_prose_are_none(text: str) -> None:
    assert credentials(text) == []


def test_all_are_told_in_order_and_one_place_once() -> None:
    text = f"api_key = \"{KEYS['OpenAI key']}\" and {KEYS['GitHub token']} and password='c0rrect-h0rse'"

    found = credentials(text)

    assert [one.kind for one in found] == ["OpenAI key", "GitHub token", "secret value"]
    assert found == sorted(found, key=lambda one: one.start)


def test_what_is_found_does_not_hold_the_secret() -> None:
    (found,) = credentials(KEYS["GitHub token"])

    assert KEYS["GitHub token"] not in repr(found)
    assert found == Credential("GitHub token", 0, 40)


@given(st.lists(st.sampled_from([*KEYS.values(), PRIVATE, "password='", "://", "bearer ", "sk-", " ", "\n", "é"])))
def test_places_are_in_the_text_and_apart(parts: list[str]) -> None:
    text = "".join(parts)

    found = credentials(text)

    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize(
    "part",
    [
        *("a", " ", "-", '"', "sk-", "sk-a1", "eyJ", "eyJaaaaaaaaaaa.", "eyJaaaaaaaaaaa.eyJaaaaaaaaaaa.x"),
        *("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nA: b\n", "-----BEGIN ", "A "),
        *("password=", "password = ", 'password:"', "secret", "secret_key='", "api_", "api_key" + " " * 3),
        *("a://", "http://a:", "http://a:b", "bearer ", "authorization: basic ", "AIza", "xoxb-", "glpat-", "SG."),
        *("pypi-", "dop_v1_", "github_pat_", "hooks.slack.com/services/T", f'password="{LOWER}" ', PRIVATE),
    ],
)
def test_hostile_text_of_any_length_is_read_to_its_end(part: str) -> None:
    """A pattern that runs away would not come back from so much of it."""
    size = 100_000
    text = (part * (size // len(part) + 1))[:size]

    assert all(found.end <= size for found in credentials(text))
