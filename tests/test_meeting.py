"""The meeting page in Streamlit's own test bench: it runs, and the pack it makes opens."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from layers.demo import demo_project

PAGE = """
from ui import state
from ui.pages import meeting
state.adopt_link()
state.choose_month("2022-07")
meeting.render()
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> AppTest:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QINGYUAN_PROJECT", str(demo_project(Path(tmp_path_factory.mktemp("demo")) / "demo.gpkg")))
        yield AppTest.from_string(PAGE, default_timeout=120).run()


def test_it_makes_the_documents_chosen_and_offers_them(bench: AppTest) -> None:
    assert not bench.exception
    assert bench.multiselect[0].options[:3] == ["图册", "状况图", "汇报演示"]
    bench.multiselect[0].set_value(["工作簿", "简报"]).run()
    bench.button[0].click().run()
    assert not bench.exception
    data, name = bench.session_state["pack"]
    assert name == "示例流域-2022-07.zip"
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["2022-07-数据.xlsx", "2022-07-简报.docx"]
