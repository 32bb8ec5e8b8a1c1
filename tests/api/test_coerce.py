"""Tests the conversion of raw values, which never raises."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
import math

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.tunnel_hub.api import coerce
from custom_components.tunnel_hub.api.days import SHANGHAI
from custom_components.tunnel_hub.api.redaction import Secrets

from .payloads import JSON_VALUES

DIGITS_OF_2_63 = str(2**63)


def _in_shanghai(value: object) -> datetime | None:
    """Parse a time of a clock in Shanghai."""
    return coerce.iso(value, SHANGHAI)


TABLE: list[tuple[Callable[[object], object], object, object]] = [
    # text
    (coerce.text, "abc", "abc"),
    (coerce.text, " abc\n", "abc"),
    (coerce.text, 7, "7"),
    (coerce.text, 1.5, "1.5"),
    (coerce.text, "", None),
    (coerce.text, " \n", None),
    (coerce.text, None, None),
    (coerce.text, True, None),
    (coerce.text, ["abc"], None),
    (coerce.text, {"a": "b"}, None),
    (coerce.text, "a  b", "a  b"),
    (coerce.text, "a\r\n\tb\u2028c\x85d", "a  b c d"),
    (coerce.text, "\x00 a\x1b[31mb\x9f", "a[31mb"),
    (coerce.text, "\x00\x07", None),
    (coerce.text, "abc\u202egpj.exe\u2069", "abcgpj.exe"),
    (coerce.text, "half \ud83d", "half \ufffd"),
    (coerce.text, "family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
    (coerce.text, "x" * 1000, "x" * 1000),
    (coerce.text, "x" * 1001, "x" * 999 + "…"),
    (coerce.text, 10**400, None),
    # text of several lines
    (coerce.lines, " a\r\n\r\nb\tc\x00\u2029d ", "a\n\nb c\nd"),
    (coerce.lines, "x" * 10_001, "x" * 9999 + "…"),
    (coerce.lines, "", None),
    (coerce.lines, None, None),
    # unchanged text
    (coerce.verbatim, " a\r\nb\x00 ", "a\r\nb\x00"),
    (coerce.verbatim, "x" * 100_000, "x" * 100_000),
    (coerce.verbatim, 7, "7"),
    (coerce.verbatim, "", None),
    # identifier
    (coerce.identifier, " web ", "web"),
    (coerce.identifier, 7, "7"),
    (coerce.identifier, "../../etc", "../../etc"),
    (coerce.identifier, "x" * 255, "x" * 255),
    (coerce.identifier, "x" * 256, None),
    (coerce.identifier, "x" * 2000, None),
    (coerce.identifier, "a\x00", None),
    (coerce.identifier, "a\nb", None),
    (coerce.identifier, "a\u202eb", None),
    (coerce.identifier, "", None),
    # document
    (coerce.document, "[a]\r\n\tb = 1\n", "[a]\r\n\tb = 1\n"),
    (coerce.document, "a\x00b", None),
    (coerce.document, "a\ud800b", None),
    (coerce.document, "x" * 1_000_000, "x" * 1_000_000),
    (coerce.document, "x" * 1_000_001, None),
    (coerce.document, 7, None),
    # texts
    (coerce.texts, ["a", 7, None, "", ["b"], "\x00"], ("a", "7")),
    (coerce.texts, ["a"] * 101, ("a",) * 100),
    (coerce.texts, "a", ()),
    (coerce.texts, None, ()),
    # number
    (coerce.number, 1.5, 1.5),
    (coerce.number, -1, -1.0),
    (coerce.number, "1.5", 1.5),
    (coerce.number, " 1.5\n", 1.5),
    (coerce.number, "95.65%", 95.65),
    (coerce.number, "1e3", 1000.0),
    (coerce.number, "", None),
    (coerce.number, "%", None),
    (coerce.number, "abc", None),
    (coerce.number, "nan", None),
    (coerce.number, "inf", None),
    (coerce.number, math.inf, None),
    (coerce.number, True, None),
    (coerce.number, None, None),
    (coerce.number, [1], None),
    (coerce.number, 1.8e19, None),
    (coerce.number, -(2**63), None),
    (coerce.number, DIGITS_OF_2_63, None),
    (coerce.number, 10**400, None),
    (coerce.number, " " * 62 + "12", 12.0),
    (coerce.number, " " * 63 + "12", None),
    (coerce.number, "1" * 100_000, None),
    # integer
    (coerce.integer, 7, 7),
    (coerce.integer, -7, -7),
    (coerce.integer, "7", 7),
    (coerce.integer, "-7", -7),
    (coerce.integer, " 007 ", 7),
    (coerce.integer, 7.6, 8),
    (coerce.integer, "7.6", 8),
    (coerce.integer, 2**63 - 1, 2**63 - 1),
    (coerce.integer, str(2**63 - 1), 2**63 - 1),
    (coerce.integer, str(1 - 2**63), 1 - 2**63),
    (coerce.integer, 2**63, None),
    (coerce.integer, -(2**63), None),
    (coerce.integer, DIGITS_OF_2_63, None),
    (coerce.integer, "9" * 5000, None),
    (coerce.integer, "0" * 62 + "7", None),
    (coerce.integer, "--7", None),
    (coerce.integer, "7-", None),
    (coerce.integer, "-", None),
    (coerce.integer, "", None),
    (coerce.integer, False, None),
    (coerce.integer, None, None),
    # count and amount
    (coerce.count, 0, 0),
    (coerce.count, "12", 12),
    (coerce.count, -1, None),
    (coerce.count, "-1", None),
    (coerce.count, None, None),
    (coerce.amount, 0, 0.0),
    (coerce.amount, "0.5", 0.5),
    (coerce.amount, -0.5, None),
    (coerce.amount, None, None),
    # boolean
    (coerce.boolean, True, True),
    (coerce.boolean, False, False),
    (coerce.boolean, "true", True),
    (coerce.boolean, " True\n", True),
    (coerce.boolean, "false", False),
    (coerce.boolean, "YES", True),
    (coerce.boolean, "no", False),
    (coerce.boolean, "on", True),
    (coerce.boolean, "off", False),
    (coerce.boolean, 1, True),
    (coerce.boolean, 0, False),
    (coerce.boolean, "1", True),
    (coerce.boolean, "0", False),
    (coerce.boolean, 200, None),
    (coerce.boolean, -1, None),
    (coerce.boolean, "", None),
    (coerce.boolean, None, None),
    (coerce.boolean, [], None),
    (coerce.boolean, 1.5, None),
    (coerce.boolean, "on" + " " * 100_000, None),
    # moments
    (coerce.epoch, 1_760_000_000, datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)),
    (coerce.epoch, "1760000000", datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)),
    (coerce.epoch, 253_370_764_799, datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (coerce.epoch, 253_370_764_800, None),
    (coerce.epoch, 253_402_300_799, None),
    (coerce.epoch, 253_402_300_800, None),
    (coerce.epoch, 2**62, None),
    (coerce.epoch, 0, None),
    (coerce.epoch, "0", None),
    (coerce.epoch, -1, None),
    (coerce.epoch, None, None),
    (coerce.epoch, "2025-10-09", None),
    (coerce.iso, "2024-12-21T01:38:19.000+00:00", datetime(2024, 12, 21, 1, 38, 19, tzinfo=UTC)),
    (coerce.iso, "2024-12-21T09:38:19+08:00", datetime(2024, 12, 21, 1, 38, 19, tzinfo=UTC)),
    (coerce.iso, " 2024-12-21 01:38:19 ", datetime(2024, 12, 21, 1, 38, 19, tzinfo=UTC)),
    (coerce.iso, "0001-01-01T00:00:00+08:00", None),
    (coerce.iso, "0001-01-01T00:00:00Z", None),
    (coerce.iso, "1969-12-31T23:59:59Z", None),
    (coerce.iso, "9999-12-31T23:59:59Z", None),
    (coerce.iso, "9999-01-01T00:00:00+14:00", datetime(9998, 12, 31, 10, tzinfo=UTC)),
    (coerce.iso, "yesterday", None),
    (coerce.iso, "", None),
    (coerce.iso, 1_760_000_000, None),
    (coerce.iso, None, None),
    (_in_shanghai, "2024-12-21 09:38:19", datetime(2024, 12, 21, 1, 38, 19, tzinfo=UTC)),
    (_in_shanghai, "2024-12-21T09:38:19Z", datetime(2024, 12, 21, 9, 38, 19, tzinfo=UTC)),
    (coerce.day, "2027-01-31", date(2027, 1, 31)),
    (coerce.day, " 2027-01-31 00:00:00", date(2027, 1, 31)),
    (coerce.day, "9999-09-09", None),
    (coerce.day, "0001-01-01", None),
    (coerce.day, "2027-02-30", None),
    (coerce.day, "", None),
    (coerce.day, 20270131, None),
    # units
    (coerce.megabytes, "1", 1_048_576),
    (coerce.megabytes, 0.5, 524_288),
    (coerce.megabytes, -1, None),
    (coerce.megabytes, None, None),
    (coerce.gigabytes, 2, 2_147_483_648),
    (coerce.gigabytes, "0.25", 268_435_456),
    (coerce.gigabytes, "", None),
    (coerce.gigabytes, 2**33 - 1, (2**33 - 1) * 2**30),
    (coerce.gigabytes, 2**33, None),
    (coerce.gigabytes, 9e18, None),
    (coerce.megabytes, 2**43, None),
    (coerce.percentage, "95.65%", 95.65),
    (coerce.percentage, 0, 0.0),
    (coerce.percentage, 100, 100.0),
    (coerce.percentage, 100.1, 100.1),
    (coerce.percentage, "250%", 250.0),
    (coerce.percentage, 2**63, None),
    (coerce.percentage, -0.1, None),
    (coerce.percentage, None, None),
]


@pytest.mark.parametrize("read, raw, meaning", TABLE)
def test_values(read: Callable[[object], object], raw: object, meaning: object) -> None:
    value = read(raw)

    assert value == meaning
    assert type(value) is type(meaning)


RESULTS: dict[Callable[[object], object], type] = {
    coerce.text: str,
    coerce.lines: str,
    coerce.verbatim: str,
    coerce.identifier: str,
    coerce.document: str,
    coerce.web_address: str,
    coerce.number: float,
    coerce.integer: int,
    coerce.count: int,
    coerce.amount: float,
    coerce.boolean: bool,
    coerce.epoch: datetime,
    coerce.iso: datetime,
    coerce.day: date,
    coerce.megabytes: int,
    coerce.gigabytes: int,
    coerce.percentage: float,
}


@given(raw=JSON_VALUES)
def test_any_json_value_is_converted_or_unknown(raw: object) -> None:
    for read, kind in RESULTS.items():
        value = read(raw)
        assert value is None or type(value) is kind, read


@given(raw=JSON_VALUES)
def test_values_are_within_their_limits(raw: object) -> None:
    assert coerce.text(raw) != ""
    assert (number := coerce.number(raw)) is None or abs(number) < 2**63
    assert (integer := coerce.integer(raw)) is None or abs(integer) < 2**63
    assert (count := coerce.count(raw)) is None or count >= 0
    assert (amount := coerce.amount(raw)) is None or amount >= 0
    assert (percentage := coerce.percentage(raw)) is None or percentage >= 0
    assert (size := coerce.gigabytes(raw)) is None or 0 <= size < 2**63
    assert (moment := coerce.epoch(raw)) is None or moment.utcoffset() == timedelta(0)


@given(whole=st.integers(-(2**63) + 1, 2**63 - 1))
def test_integers_equal_their_digits(whole: int) -> None:
    assert coerce.integer(whole) == coerce.integer(str(whole)) == coerce.integer(f" {whole}\n")
    assert coerce.integer(whole) == whole


@given(value=st.floats(-9e18, 9e18))
def test_numbers_equal_their_digits(value: float) -> None:
    assert coerce.number(value) == coerce.number(str(value)) == coerce.number(f"{value}%") == value


@pytest.mark.parametrize(
    "html, words",
    [
        ("", ""),
        ("words", "words"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<h3>title</h3>text", "title\ntext"),
        ("before<div>inside</div>after", "before\ninside\nafter"),
        ("<b>bold</b> and <i>not</i>", "bold and not"),
        ("a&nbsp;&amp;&nbsp;b &quot;c&quot; &#8211;", 'a & b "c" –'),
        ("  much \n\n   space\t ", "much\nspace"),
        ("<script>evil()</script>words<style>p{}</style>", "words"),
        ("<head><title>no</title></head><body>yes</body>", "yes"),
        ("<template><p>no</p></template>yes", "yes"),
        ("</script>yes", "yes"),
        ("<!-- no -->yes", "yes"),
        ("a < b", "a < b"),
        ("<img src=x onerror='evil()'>yes", "yes"),
    ],
)
def test_html_as_text(html: str, words: str) -> None:
    assert coerce.plain_text(html) == words


@given(
    html=st.lists(st.sampled_from([*"<>/!-[]&;#'\"= \n", "script", "p", "x1", "<p>"])).map("".join)
)
def test_any_html_becomes_lines_that_are_not_blank(html: str) -> None:
    words = coerce.plain_text(html)

    assert words == "\n".join(" ".join(line.split()) for line in words.splitlines() if line.strip())


@pytest.mark.parametrize(
    "raw, url",
    [
        ("https://example.com/device?code=A-1", "https://example.com/device?code=A-1"),
        (" http://192.0.2.1:8000/ ", "http://192.0.2.1:8000/"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        (
            "https://a.example/) [x](<https://b.example",
            "https://a.example/%29%20%5Bx%5D%28%3Chttps://b.example",
        ),
        ("HTTPS://Example.com/a b", "https://example.com/a%20b"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://evil。example/", "https://evil.example/"),
        ("http://[fe80::1%25eth0]:8123/", "http://[fe80::1%25eth0]:8123/"),
        ("https://user:pass@example.com/", None),
        ("https://user@example.com/", None),
        ("https://@example.com/", None),
        ("https://paypal.com%40example.com/", None),
        ("https://paypal.com／@example.com/", None),
        ("https://paypal.com\\@example.com/", None),
        ("https:\\\\example.com", None),
        ("https://example.com\r\nX: 1", None),
        ("https://example.com/\x00", None),
        ("https://example.com/\u202egpj", None),
        ("https://exam ple.com/", None),
        ("https://example.com:99999/", None),
        ("https://example.com:80:80/", None),
        ("https://c℀.example/", None),
        ("https://example.com/" + "x" * 2000, None),
        ("ftp://example.com/", None),
        ("file:///etc/passwd", None),
        ("vbscript:x", None),
        ("https:example.com", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//example.com/x", None),
        ("/x", None),
        ("https:///x", None),
        ("https://[x", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_web_addresses(raw: object, url: str | None) -> None:
    """Nothing ends the URL of a link early, and it leads to the web."""
    assert coerce.web_address(raw) == url


@pytest.mark.parametrize(
    "host, port, address",
    [
        ("nas", 8123, "nas:8123"),
        ("192.0.2.1", 8123, "192.0.2.1:8123"),
        ("fd12::5", 8123, "[fd12::5]:8123"),
        ("[fd12::5]", 8123, "[fd12::5]:8123"),
        ("fe80::1%eth0", 8123, "[fe80::1%eth0]:8123"),
        ("::ffff:192.0.2.1", 1, "[::ffff:192.0.2.1]:1"),
        ("nas:80", 8123, "nas:80:8123"),
        ("nas", None, "nas"),
        ("fd12::5", None, "fd12::5"),
        (None, 8123, None),
        (None, None, None),
    ],
)
def test_an_address(host: str | None, port: int | None, address: str | None) -> None:
    assert coerce.host_port(host, port) == address


@pytest.mark.parametrize(
    "part, whole, percent",
    [(1, 4, 25.0), (8, 4, 200.0), (0, 4, 0.0), (1, 0, None), (1, None, None), (None, 4, None)],
)
def test_percentage(part: float | None, whole: float | None, percent: float | None) -> None:
    assert coerce.percentage_of(part, whole) == percent


def test_a_percentage_that_is_too_large() -> None:
    assert coerce.percentage_of(9e18, 5e-324) is None


def test_an_object_that_is_passed_on() -> None:
    value = {"a\x00": "b\x00", "e": "", "c": [1, 2**63, True, None, 1e300, {"d": "x" * 20_000}]}
    assert coerce.data({**value, "": 1}, str) == {
        "a": "b",
        "e": "",
        "c": [1, None, True, None, None, {"d": "x" * 9999 + "…"}],
    }


def test_an_object_that_is_passed_on_contains_no_secrets() -> None:
    secrets = Secrets()
    secrets.add("hidden-words")

    shown = coerce.data({"a hidden-words": ["hidden-words", {"b": "x hidden-words"}]}, secrets.hide)

    assert "hidden-words" not in str(shown)
    assert len(shown) == 1


def test_an_object_that_is_passed_on_is_limited() -> None:
    """In depth and size."""
    deep: dict[str, object] = {}
    for _ in range(500):
        deep = {"a": deep}
    shown = orjson.dumps(coerce.data(deep, str))
    assert shown.count(b"a") == 8

    for many in ({"a": list(range(100_000))}, {f"{n}": n for n in range(100_000)}):
        assert 1000 < orjson.dumps(coerce.data(many, str)).count(b",") < 2001
    for long in ({"a": ["b" * 1000] * 1000}, {"b" * 900 + f"{n}": n for n in range(1000)}):
        assert 29_000 < orjson.dumps(coerce.data(long, str)).count(b"b") < 32_000
    assert coerce.data([1], str) == {}


@pytest.mark.parametrize(
    "words, expected",
    [
        ("维护通知：今晚 2 点", "维护通知：今晚 2 点"),
        ("[公告] 今晚维护", "[公告] 今晚维护"),
        ("null", None),
        ("true", None),
        ("10", "10"),
        ('"null"', None),
        ('"7"', None),
        ("[]", None),
        ('[{"error": "x"}]', None),
        ('{"error": "x"}', None),
        ('{"error": "cut o', None),
        ("[[[[", None),
        ("...", None),
        ("", None),
        (None, None),
    ],
)
def test_text_entered_by_users(words: str | None, expected: str | None) -> None:
    assert coerce.human_text(words) == expected


@given(raw=JSON_VALUES)
def test_all_values_can_be_serialized(raw: object) -> None:
    for read in (*RESULTS, coerce.texts):
        orjson.dumps(read(raw))
    orjson.dumps(coerce.data(raw, str))
