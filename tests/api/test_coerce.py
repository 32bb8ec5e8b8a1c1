"""What raw values mean, and that none of them raises."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
import math

from hypothesis import given, strategies as st
import pytest

from custom_components.tunnel_hub.api import coerce

from .payloads import JSON_VALUES

DIGITS_OF_2_63 = str(2**63)
SHANGHAI = timedelta(hours=8)


def _in_shanghai(value: object) -> datetime | None:
    """Read a moment out of a clock in Shanghai."""
    return coerce.iso(value, timezone(SHANGHAI))


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
    (coerce.integer, 2**63, None),
    (coerce.integer, -(2**63), None),
    (coerce.integer, DIGITS_OF_2_63, None),
    (coerce.integer, "9" * 5000, None),
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
    # moments
    (coerce.epoch, 1_760_000_000, datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)),
    (coerce.epoch, "1760000000", datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)),
    (coerce.epoch, 253_402_300_799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
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
    (coerce.iso, "yesterday", None),
    (coerce.iso, "", None),
    (coerce.iso, 1_760_000_000, None),
    (coerce.iso, None, None),
    (_in_shanghai, "2024-12-21 09:38:19", datetime(2024, 12, 21, 1, 38, 19, tzinfo=UTC)),
    (_in_shanghai, "2024-12-21T09:38:19Z", datetime(2024, 12, 21, 9, 38, 19, tzinfo=UTC)),
    (coerce.day, "2027-01-31", date(2027, 1, 31)),
    (coerce.day, " 2027-01-31 00:00:00", date(2027, 1, 31)),
    (coerce.day, "9999-09-09", None),
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
    (coerce.percentage, "95.65%", 95.65),
    (coerce.percentage, 0, 0.0),
    (coerce.percentage, 100, 100.0),
    (coerce.percentage, 100.1, None),
    (coerce.percentage, -0.1, None),
    (coerce.percentage, None, None),
]


@pytest.mark.parametrize("read, raw, meaning", TABLE)
def test_what_a_raw_value_means(
    read: Callable[[object], object], raw: object, meaning: object
) -> None:
    value = read(raw)

    assert value == meaning
    assert type(value) is type(meaning)


RESULTS: dict[Callable[[object], object], type] = {
    coerce.text: str,
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


@pytest.mark.parametrize("read", RESULTS)
@given(raw=JSON_VALUES)
def test_any_json_value_is_read_or_unknown(read: Callable[[object], object], raw: object) -> None:
    value = read(raw)

    assert value is None or type(value) is RESULTS[read]


@given(raw=JSON_VALUES)
def test_what_is_read_lies_within_its_bounds(raw: object) -> None:
    assert coerce.text(raw) != ""
    assert (number := coerce.number(raw)) is None or abs(number) < 2**63
    assert (integer := coerce.integer(raw)) is None or abs(integer) < 2**63
    assert (count := coerce.count(raw)) is None or count >= 0
    assert (amount := coerce.amount(raw)) is None or amount >= 0
    assert (percentage := coerce.percentage(raw)) is None or 0 <= percentage <= 100
    assert (moment := coerce.epoch(raw)) is None or moment.utcoffset() == timedelta(0)


@given(whole=st.integers(-(2**63) + 1, 2**63 - 1))
def test_whole_numbers_and_their_digits_are_the_same(whole: int) -> None:
    assert coerce.integer(whole) == coerce.integer(str(whole)) == coerce.integer(f" {whole}\n")
    assert coerce.integer(whole) == whole


@given(value=st.floats(-9e18, 9e18))
def test_numbers_and_their_digits_are_the_same(value: float) -> None:
    assert coerce.number(value) == coerce.number(str(value)) == coerce.number(f"{value}%") == value


def _shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC) - SHANGHAI


@pytest.mark.parametrize(
    "moment, today",
    [
        (_shanghai(19, 23, 59), False),
        (_shanghai(20, 0), True),
        (_shanghai(20, 12), True),
        (_shanghai(20, 23, 59), True),
        (_shanghai(21, 0), False),
        (datetime.max.replace(tzinfo=UTC), False),
        (datetime.min.replace(tzinfo=UTC), False),
        (None, None),
    ],
)
@pytest.mark.parametrize("now", [_shanghai(20, 0), _shanghai(20, 12), _shanghai(20, 23, 59)])
def test_a_day_is_the_services_day(
    moment: datetime | None, now: datetime, today: bool | None
) -> None:
    assert coerce.same_day(moment, now, SHANGHAI) is today


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
def test_html_as_words(html: str, words: str) -> None:
    assert coerce.plain_text(html) == words


@given(
    html=st.lists(st.sampled_from([*"<>/!-[]&;#'\"= \n", "script", "p", "x1", "<p>"])).map("".join)
)
def test_any_html_becomes_lines_without_blank_ones(html: str) -> None:
    words = coerce.plain_text(html)

    assert words == "\n".join(" ".join(line.split()) for line in words.splitlines() if line.strip())


@pytest.mark.parametrize(
    "told, url",
    [
        ("https://example.com/device?code=A-1", "https://example.com/device?code=A-1"),
        (" http://192.0.2.1:8000/ ", "http://192.0.2.1:8000/"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        (
            "https://a.example/) [x](<https://b.example",
            "https://a.example/%29%20%5Bx%5D%28%3Chttps://b.example",
        ),
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
def test_a_web_address(told: object, url: str | None) -> None:
    """One that a link can hold: nothing ends it early, and it leads to the web."""
    assert coerce.web_address(told) == url
