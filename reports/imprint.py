"""What a file says of itself: title, unit, date, 示例; in place of what the library's own template says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reports import phrases
from reports.content import Content

THUMBNAIL = "/thumbnail"


def imprint(file: Any, content: Content) -> None:
    """Sign a deck or a paper; the little picture of the template's first page is left out."""
    told = file.core_properties
    told.title = f"{phrases.title(content)} · {phrases.month_name(content)}"
    told.author = told.last_modified_by = content.unit
    told.comments = phrases.credit(content)
    told.created = told.modified = datetime.fromisoformat(content.made_on or f"{content.month[:7]}-01")
    package = file.part.package
    relations = package.rels if hasattr(package, "rels") else package._rels
    for key in [key for key, relation in relations.items() if relation.reltype.endswith(THUMBNAIL)]:
        relations.pop(key)
