"""Tests the redaction of secrets in all encodings."""

import base64
from collections.abc import Callable
import hashlib
import html
import json
import time
from urllib.parse import quote, quote_plus

from hypothesis import given, strategies as st
import pytest

from custom_components.tunnel_hub.api.redaction import Secrets

PASSWORD = "pa ss+w/\"ö'<&>%41\\n密"
"""With characters that some encoding changes, and with what looks like an escape sequence."""

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: secret,
    "URL": lambda secret: quote(secret, safe=""),
    "URL, lower case": lambda secret: quote(secret, safe="").replace("%2F", "%2f"),
    "URL, a form's": quote_plus,
    "URL, every byte": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "URL, twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "HTML": html.escape,
    "HTML, every character": lambda secret: "".join(f"&#{ord(each)};" for each in secret),
    "HTML, hexadecimal": lambda secret: "".join(f"&#x{ord(each):X};" for each in secret),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON, UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON, slashes too": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON, every character": lambda secret: "".join(f"\\u{ord(each):04X}" for each in secret),
    "JSON in HTML": lambda secret: html.escape(json.dumps(secret)[1:-1]),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64, URL-safe": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64, not padded": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "base64 with a name": lambda secret: base64.b64encode(f"demo:{secret}".encode()).decode(),
    "base64 in JSON": lambda secret: base64.b64encode(f'{{"a":"{secret}"}}'.encode()).decode(),
    "base64 in a URL": lambda secret: quote(base64.b64encode(secret.encode()).decode(), safe=""),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "SHA-256": lambda secret: hashlib.sha256(secret.encode()).hexdigest(),
    "SHA-1": lambda secret: hashlib.sha1(secret.encode()).hexdigest(),
    "MD5, upper case": lambda secret: hashlib.md5(secret.encode()).hexdigest().upper(),
}


def knowing(*given: str) -> Secrets:
    secrets = Secrets()
    secrets.add(*given)
    return secrets


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize(
    "secret", [PASSWORD, "demo-password", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.c2lnbmF0dXJl"]
)
def test_a_secret_is_redacted_in_all_encodings(encode: Callable[[str], str], secret: str) -> None:
    repeated = encode(secret)

    shown = knowing(secret).hide(f"Not allowed: [{repeated}], try again")

    assert repeated not in shown
    assert shown.startswith("Not allowed: [")
    assert shown.endswith("], try again")
    assert 2 <= len(shown.removeprefix("Not allowed: [").removesuffix("], try again")) <= 6


@pytest.mark.parametrize(
    "secrets, words, shown",
    [
        ({"abc"}, "your token abc is bad: abc", "your token ** is bad: **"),
        ({"abc", "abcdef"}, "abcdef abc", "** **"),
        ({"abcdef", "cdefgh"}, "xabcdefghx", "x**x"),
        ({"abc", "xyz"}, "abcxyz", "****"),
        (set(), "nothing to hide", "nothing to hide"),
        ({""}, "nothing", "nothing"),
        ({"no"}, "nothing", "nothing"),
        ({" " * 100_000}, "a  b", "a  b"),
        ({"++++", "%20%20%20"}, "a    b", "a    b"),
        ({"%00%00"}, "nothing", "nothing"),
        (set(), "mail to demo.user+1@mail.example.com was sent", "mail to ** was sent"),
        (set(), "a@b and @c.example and d@", "a@b and @c.example and d@"),
        ({"line one\nline two"}, "it is line one\nline two.", "it is **."),
        ({"secret"}, "one\nsecret\ntwo", "one\n**\ntwo"),
    ],
)
def test_redacted_parts(secrets: set[str], words: str, shown: str) -> None:
    assert knowing(*secrets).hide(words) == shown


@pytest.mark.parametrize("name", ["as it is", "URL", "HTML", "JSON", "base64"])
@pytest.mark.parametrize("secret", ["demo-password", PASSWORD])
def test_a_truncated_secret_is_redacted(name: str, secret: str) -> None:
    """At any position; a few encoded characters may remain."""
    secrets = knowing(secret)
    encoded = ENCODINGS[name](secret)
    allowed = 0 if name == "as it is" else 8

    for length in range(1, len(encoded)):
        shown = secrets.hide(f"No: {encoded[:length]}", is_cut=True)
        assert len(shown.removeprefix("No: ").replace("**", "")) <= allowed, shown


@given(secret=st.text(min_size=4, max_size=20), before=st.text(max_size=20))
def test_no_beginning_of_a_secret_remains_before_a_cut(secret: str, before: str) -> None:
    secrets = knowing(secret)
    line = " ".join(secret.split())

    for length in range(4, len(line)):
        assert not secrets.hide(before + line[:length], is_cut=True).endswith(line[:length])


@pytest.mark.parametrize("name", ["SHA-256", "SHA-1", "MD5, upper case"])
def test_a_digest_of_a_received_value_is_redacted(name: str) -> None:
    """After any number of other values, and within a longer run of digits."""
    secrets = Secrets()
    secrets.learn({"user_email": "demo@example.com"})
    secrets.learn([{"token": f"token-{number}"} for number in range(1500)])
    digest = ENCODINGS[name]("demo@example.com")

    assert secrets.hide(f"id {digest}.") == "id **."
    assert secrets.hide(f"id a{digest}b") == "id a**b"
    assert secrets.hide(f"id {digest[:20]}", is_cut=True) == "id **"
    started = time.thread_time()
    secrets.hide(("abcdef0123456789" * 63)[:1000])
    assert time.thread_time() - started < 0.1


def test_fields_with_secrets_are_recognized() -> None:
    """In answers and requests, at any depth."""
    secrets = Secrets()
    secrets.learn(
        {
            "nodes": [{"report_token": "report-1", "node_name": "seaside"}],
            "user": {"proxy_passwords": {"socks5": "proxy-1"}, "code": "code-1"},
            "token": None,
        }
    )
    secrets.learn({"code": "code-2", "passwd": "pass-1"}, sent=True)
    secrets.learn({"token": " " * 10, "csrf": "abc", "sk": ""})

    words = "report-1 seaside proxy-1 code-1 code-2 pass-1"
    assert secrets.hide(words) == "** seaside ** code-1 ** **"


async def test_a_large_answer_is_searched_in_time_slices() -> None:
    secrets = Secrets()
    await secrets.learn_in_turns([{"token": f"token-{number:04}"} for number in range(1000)])

    assert secrets.hide("token-0000 token-0999") == "** **"


def test_old_received_values_are_dropped_and_given_ones_are_kept() -> None:
    secrets = knowing("given-1")
    for number in range(2001):
        secrets.learn({"token": f"token-{number:04}"})
        secrets.learn({"token": "token-0001"})

    assert secrets.hide("given-1 token-0000 token-0001 token-2000") == "** token-0000 ** **"


@pytest.mark.parametrize(
    "piece", ["a", "ab ", "%41", "\\u0041", "&amp;", "&", "a@", "a@b.", ".", "deadbeef", "%", "++"]
)
def test_time_grows_linearly(piece: str) -> None:
    """Ten times the text takes about ten times as long."""
    secrets = knowing("demo-password")

    def seconds(length: int) -> float:
        words = (piece * length)[:length]
        started = time.thread_time()
        secrets.hide(words, is_cut=True)
        return time.thread_time() - started

    short = min(seconds(5_000) for _ in range(3))
    assert min(seconds(50_000) for _ in range(2)) < 40 * max(short, 0.001)
