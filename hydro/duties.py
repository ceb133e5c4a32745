"""Who sees to what: the department, the days and the word of every kind of measure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Duty:
    """Who does a measure where no one is named, how many days it takes, and what it is called."""

    department: str
    days: int
    word: str


DUTIES = {
    "seal": Duty("生态环境局", 30, "封堵"),
    "regulate": Duty("生态环境局", 90, "规范整治"),
    "merge": Duty("住房城乡建设局", 180, "清理合并"),
    "upgrade": Duty("住房城乡建设局", 365, "提标改造"),
    "dredge": Duty("水利局", 120, "清淤"),
    "relocate": Duty("农业农村局", 180, "搬迁取缔"),
    "dose": Duty("水利局", 7, "引水"),
}
"""Customary duties (M), to be overruled by a measure's own ``department`` and ``lead_days``."""
