"""Numbers, units and lists as text for the page."""

import json
import math

NOTHING = "\u2013"  # a dash in place of a missing number
POINT = "\u202f"  # narrow space between a number and its unit


def count(n: int | None) -> str:
    """1319 as "1,319"."""
    return NOTHING if n is None else f"{n:,}"


def plural(n: int, singular: str, plural: str | None = None) -> str:
    """`plural(2, "thought")` is "2 thoughts"."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def real(value: float | None, digits: int = 1) -> str:
    """A number with `digits` decimals; a dash for None or NaN."""
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:,.{digits}f}"
    is_zero = not text.strip("-0.,")  # write "0.0", not "-0.0"
    return text.lstrip("-") if is_zero else text.replace("-", "\u2212")


def percent(share: float | None, digits: int = 1) -> str:
    """0.8432 as "84.3%"."""
    if share is None or math.isnan(share):
        return NOTHING
    return f"{real(100 * share, digits)}%"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with sign."""
    text = real(100 * difference)
    return text if text.startswith("\u2212") else f"+{text}"


def probability(value: float | None) -> str:
    """0.9312 as "0.931"; values that would round to 0 or 1 as "< 0.001", "> 0.999"."""
    if value is None or math.isnan(value):
        return NOTHING
    if 0.9995 <= value < 1:
        return "> 0.999"
    if 0 < value < 0.0005:
        return "< 0.001"
    return f"{value:.3f}"


def significant(value: float | None) -> str:
    """Three significant digits: 0.0000312 as "3.12 x 10^-5", 812.0 as "812"."""
    if value is None:
        return "not measured"
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if -4 < exponent < 6:
        text = f"{value:,.{max(0, 2 - exponent)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace("-", "\u2212")
    mantissa, _, power = f"{value:.2e}".partition("e")
    digits = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
    return f"{mantissa} × 10{str(int(power)).translate(digits)}".replace("-", "\u2212")


def duration(seconds: float | None) -> str:
    """193 as "3 min 13 s"."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f}{POINT}s"
    minutes, seconds_left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{POINT}min {seconds_left:02d}{POINT}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}{POINT}h {minutes:02d}{POINT}min"


def memory(mebibytes: float | None) -> str:
    """612.5 as "612 MiB", 4096 as "4.0 GiB"."""
    if mebibytes is None:
        return NOTHING
    if mebibytes < 1000:
        return f"{mebibytes:.0f}{POINT}MiB"
    return f"{mebibytes / 1024:,.1f}{POINT}GiB"


def listed(items: list[str]) -> str:
    """["a", "b", "c"] as "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def quoted(text: str) -> str:
    """A text in quotes on one line; line breaks are escaped."""
    return json.dumps(text, ensure_ascii=False)
