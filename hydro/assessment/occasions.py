"""Where and when a sample was taken, as far as its row tells: the same occasion twice, dates to come, dates unreadable.

Nothing here changes a class; two rows of one section and one time are both judged and both told.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Sequence

import pandas as pd

from hydro.assessment.cells import doubt
from hydro.errors import Fault

# fmt: off
STATIONS = frozenset([
    "section", "sectionid", "sectionname", "station", "stationid", "stationname", "site", "siteid", "sitename", "断面",
    "断面名称", "断面名", "断面编号", "断面编码", "断面代码", "站点", "站点名称", "站点编码", "站名", "测站", "测站名称", "测站编码",
    "点位", "点位名称", "点位编码", "监测点位", "监测点", "监测断面", "采样点", "采样断面",
])
PLACES = frozenset([
    "vertical", "depth", "position", "layer", "bank", "垂线", "垂线号", "层次", "水深", "采样深度", "左右岸", "位置", "测点",
])
DATES = frozenset([
    "date", "time", "datetime", "month", "sampledate", "samplingdate", "sampletime", "samplingtime", "sampledon",
    "monitoringdate", "日期", "时间", "月份", "年月", "监测时间", "监测日期", "监测月份", "采样时间", "采样日期", "采样月份", "取样时间",
    "取样日期",
])
YEARS, MONTHS, DAYS = frozenset(["year", "年", "年份"]), frozenset(["月", "month"]), frozenset(["day", "日"])
# fmt: on
WRITTEN = re.compile(r"(\d{4})(?:\D{1,2}(\d{1,2}))?(?:\D{1,2}(\d{1,2}))?(?:\D.*)?")
CLOCK = re.compile(r"\d{1,2}[:：时]\d{0,2}.*")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?")


def occasion_doubts(table: pd.DataFrame, *, today: str = "") -> list[tuple[Fault, ...]]:
    """The doubts of each row's place and time; the rows are named as the table's index names them.

    ``today`` (ISO date; blank: no clock) is the day after which nothing can have been sampled yet.
    """
    kinds = {column: _key(column) for column in table.columns}
    where, beside, when = (
        [column for column, key in kinds.items() if key in words] for words in (STATIONS, PLACES, DATES)
    )
    parts = [next((c for c, key in kinds.items() if key in words), None) for words in (YEARS, MONTHS, DAYS)]
    if parts[0] is not None and parts[1] is not None:
        when = [column for column in parts if column is not None]
    times = [_read([row[column] for column in when]) for row in table.to_dict("records")] if when else []
    found: list[list[Fault]] = [[] for _ in range(len(table))]
    for i, (written, day) in enumerate(times):
        if written and day is None:
            found[i].append(doubt("bad_date", "时间「{time}」无法识别，应写成 2022-07 或 2022-07-03", time=written))
        elif day is not None and today and day.isoformat() > today[:10]:
            found[i].append(doubt("future", "时间 {time} 晚于今天，尚不可能有样品，请核对", time=written))
    if where and when:
        _twice(found, table, times, [*where, *beside])
    return [tuple(one) for one in found]


def _twice(
    found: list[list[Fault]],
    table: pd.DataFrame,
    times: Sequence[tuple[str, datetime.date | None]],
    columns: list[object],
) -> None:
    """Tell rows of one place and one time of each other."""
    places = table[columns].astype(str).agg("\x00".join, axis=1).tolist()
    groups: dict[tuple[str, str], list[int]] = {}
    for i, (place, (written, _)) in enumerate(zip(places, times, strict=True)):
        if written and place.replace("\x00", "").strip():
            groups.setdefault((place, written), []).append(i)
    for rows in groups.values():
        for i in rows if len(rows) > 1 else ():
            others = ", ".join(str(table.index[j]) for j in rows if j != i)
            found[i].append(doubt("twice", "与第 {rows} 行是同一断面、同一时间，请核对取舍", rows=others))


def _read(cells: Sequence[object]) -> tuple[str, datetime.date | None]:
    """A time as it was written, and its first day; None where it cannot be read."""
    first = cells[0]
    if isinstance(first, datetime.date | datetime.datetime | pd.Timestamp) and not pd.isna(first):
        return str(first), first.date() if isinstance(first, datetime.datetime) else first
    texts = [re.sub(r"\.0$", "", str(cell).strip()) for cell in cells if not _blank(cell)]
    written = " ".join(sorted((text for text in texts if text), key=_clock))
    if _clock(written):
        return "", None
    plain = unicodedata.normalize("NFKC", written)
    match = COMPACT.fullmatch(plain) or WRITTEN.fullmatch(plain)
    if not match:
        return written, None
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        return written, datetime.date(year, month, day)
    except ValueError:
        return written, None


def _blank(cell: object) -> bool:
    return cell is None or str(cell).strip().lower() in ("", "nan", "nat", "<na>")


def _clock(written: str) -> bool:
    """Whether this is an hour without its day."""
    return CLOCK.fullmatch(written) is not None


def _key(column: object) -> str:
    header = unicodedata.normalize("NFKC", str(column)).lower()
    return re.sub(r"\W|_", "", re.sub(r"\([^)]*\)", "", header))
