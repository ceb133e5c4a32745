"""What a laboratory wrote in a cell, read as a value with its doubts: ``0.12``, ``<0.01``, ``0.01L``, ``未检出``.

A cell is never dropped in silence and never mended in silence.  Below detection counts as half the limit
(环办监测函〔2020〕82号, 七).  What cannot be a concentration (text, a negative number, pH 0) is left out of the
judgement and said; what is only unlikely (TP 80 mg/L) is judged as it stands and said.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from hydro.assessment.standards import TO_MG_L, Parameter
from hydro.errors import Fault

# fmt: off
BLANK = frozenset([
    "", "nan", "none", "null", "na", "n/a", "n.a.", "#n/a", "nat", "nodata", "no_data", "missing", "blank", "nosample",
    "-", "--", "---", "—", "——", "————", "–", "/", "//", "\\", ".", "…", "...", "*", "无", "空", "缺", "缺测",
    "未测", "未监测", "未检测", "未分析", "未采样", "未采", "停测", "无数据", "暂无", "不详", "仪器故障", "维护", "停电",
])
# fmt: on
DRY = frozenset({"断流", "干涸", "河干", "无水", "结冰", "冰封", "dry", "frozen"})
NOT_DETECTED = re.compile(
    r"(低于|小于)?(方法|最低|仪器)?检出(下)?限(以下)?|未检出|未检|没检出|notdetected|belowdetection(limit)?|belowlod|belowmdl"
    r"|n\.?d\.?|bdl|b\.d\.l\.?|mdl|lod|loq|痕量|trace|dl|^l$",
    re.IGNORECASE,
)
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
POWER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))[x×*·]10\^?\(?([+-]?\d+)\)?", re.IGNORECASE)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
BELOW = re.compile(rf"(?:<|小于|低于|l)(?P<after>{NUMBER})l?|(?P<before>{NUMBER})(?:l|\(l\)|<|\(<\)|u|以下)")
MARKED = re.compile(
    r"(?P<before>≤|<=|>=|>|≥|约|~|≈|大于|超过|高于)?(?P<number>.+?)"
    r"(?P<after>\*+|#|\?|!|↑|↓|\+|左右|\([^\d]*\)|超标|以上)?"
)
IN_UNIT = re.compile(r"(?<=[\d.)出dl])((?:mg|ug|μg|ng|g)/?(?:l|升|m3)|ppm|ppb|毫克/升|微克/升)$")
FAR_BELOW = 20
"""A number this many times under what its method can see is more likely in another unit than so clean."""
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u00ad"), None)
MINUS = str.maketrans("\u2212\u2010\u2011\u2012﹤﹥〈〉", "----<><>")


@dataclass(frozen=True)
class Cell:
    """A cell as it was written (``raw``), what it counts as (``value``, nan where nothing counts), and the doubts.

    ``limit`` is the detection limit where the cell says "less than"; ``above`` marks a value known only to be exceeded.
    """

    raw: str
    value: float
    limit: float = math.nan
    above: bool = False
    doubts: tuple[Fault, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether there is a value to judge."""
        return not math.isnan(self.value)


def doubt(code: str, message: str, **params: Any) -> Fault:
    """One thing worth knowing about a value."""
    return Fault(code, message, params, warning=True)


def read_value(cell: object, parameter: Parameter, *, factor: float = 1.0) -> Cell:
    """Read one cell of a column of ``parameter``; ``factor`` turns the column's unit into the parameter's own.

    >>> from hydro.assessment.standards import Parameter
    >>> tp = Parameter("TP", "总磷", "total phosphorus", decimals=3, detection_limit=0.01, plausible_max=5)
    >>> [read_value(cell, tp).value for cell in ("0.12", "<0.01", "０．０２L", "未检出", "--")]
    [0.12, 0.005, 0.01, 0.005, nan]
    """
    raw = "" if cell is None else str(cell)
    if isinstance(cell, bool):
        return _unreadable(raw, parameter)
    if isinstance(cell, int | float):
        number = float(cell)
        if math.isnan(number):
            return Cell("", math.nan)
        return _checked(raw, number * factor, parameter)
    text = unicodedata.normalize("NFKC", raw).translate(INVISIBLE).translate(MINUS)
    text = re.sub(r"\s+", "", text).strip("'\"`").lower()
    if text in BLANK:
        return Cell(raw, math.nan)
    if text in DRY:
        dry = doubt("no_water", "{parameter}：{raw}，无样品", **_names(parameter, raw))
        return Cell(raw, math.nan, doubts=(dry,))
    return _text(raw, text, parameter, factor)


def _text(raw: str, text: str, parameter: Parameter, factor: float) -> Cell:
    doubts: list[Fault] = []
    unit = IN_UNIT.search(text)
    if unit:
        text, factor = text[: unit.start()], TO_MG_L.get(unit.group(0), math.nan)
        if factor != 1.0 and not math.isnan(factor):
            doubts.append(doubt("unit", "{parameter}：{raw} 按其单位换算", **_names(parameter, raw)))
    below = NOT_DETECTED.sub("", text)
    if below != text:
        return _below(raw, _number(re.sub(r"[<≤()\[\]{}l]", "", below)), parameter, factor, doubts)
    less = BELOW.fullmatch(text)
    if less:
        return _below(raw, _number(less.group("after") or less.group("before")), parameter, factor, doubts)
    mark = MARKED.fullmatch(text)
    number = _number(mark.group("number")) if mark else None
    if mark is None or number is None:
        return _unreadable(raw, parameter)
    before, after = mark.group("before") or "", mark.group("after") or ""
    above = before in (">", ">=", "≥", "大于", "超过", "高于") or after == "以上"
    if above:
        doubts.append(doubt("above_range", "{parameter}：{raw} 只知道高于该值", **_names(parameter, raw)))
    elif before or after:
        message = "{parameter}：{raw} 带标记，按 {value:g} 评价"
        doubts.append(doubt("marked", message, value=number, **_names(parameter, raw)))
    return _checked(raw, number * factor, parameter, above=above and not before.endswith(("=", "≥")), doubts=doubts)


def _below(raw: str, limit: float | None, parameter: Parameter, factor: float, doubts: list[Fault]) -> Cell:
    names = _names(parameter, raw)
    if limit is not None and limit > 0:
        limit *= factor
        message = "{parameter}：{raw} 低于检出限，按检出限的一半 {value:g} 计"
    elif limit is None and not math.isnan(parameter.detection_limit):
        limit = parameter.detection_limit
        message = "{parameter}：{raw} 未注明检出限，按方法检出限（{method}）的一半 {value:g} 计"
    else:
        return _unreadable(raw, parameter)
    said = doubt("below_detection", message, value=limit / 2, method=parameter.detection_method, **names)
    return Cell(raw, limit / 2, limit=limit, doubts=(*doubts, said))


def _checked(
    raw: str, value: float, parameter: Parameter, *, above: bool = False, doubts: list[Fault] | None = None
) -> Cell:
    found, names = list(doubts or ()), _names(parameter, raw)
    low, high = parameter.possible_min, parameter.possible_max
    if not math.isfinite(value) or value < low or value > high or (parameter.parameter == "pH" and value == low):
        message = "{parameter}：{raw} 不可能出现，不参评，请核对"
        code = "negative" if value < 0 else "impossible"
        return Cell(raw, math.nan, doubts=(*found, doubt(code, message, **names)))
    if value < parameter.plausible_min or value > parameter.plausible_max:
        found.append(doubt("implausible", "{parameter}：{raw} 数值异常，按原值评价，请核对单位与记录", **names))
    elif 0 < value < parameter.detection_limit / FAR_BELOW:
        message = "{parameter}：{raw} 远低于方法检出限（{method}），按原值评价，请核对单位"
        found.append(doubt("far_below", message, method=parameter.detection_method, **names))
    elif value == 0:
        found.append(doubt("zero", "{parameter}：{raw} 为零值，是否应为未检出，请核对", **names))
    return Cell(raw, value, above=above, doubts=tuple(found))


def _unreadable(raw: str, parameter: Parameter) -> Cell:
    message = "{parameter}：无法识别「{raw}」，不参评，请核对"
    return Cell(raw, math.nan, doubts=(doubt("unreadable", message, **_names(parameter, raw)),))


def _names(parameter: Parameter, raw: str) -> dict[str, str]:
    return {"parameter": parameter.parameter, "raw": raw.strip()}


def _number(text: str) -> float | None:
    power = POWER.fullmatch(text)
    if power:
        return float(f"{power.group(1)}e{power.group(2)}")
    if THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    return float(text) if re.fullmatch(NUMBER, text) else None
