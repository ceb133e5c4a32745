"""The meeting page in Streamlit's own test bench: it runs, and the pack it makes opens."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from layers.intake.demo import demo_project

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
        page = AppTest.from_string(PAGE, default_timeout=120).run()
        first = "".join(block.proto.body for block in page.get("html"))
        assert not page.exception
        assert "2022年7月监测 16 个断面：达标 10 个，持平 1 个，超标 5 个" in first
        assert "比对 16 个断面 36 个月的监测记录，推断成因（已用" in first
        deadline = time.monotonic() + 100
        while not page.multiselect and time.monotonic() < deadline:
            time.sleep(0.5)
            page.run()
        yield page


def test_it_makes_the_documents_chosen_and_offers_them(bench: AppTest) -> None:
    assert not bench.exception
    assert [box.value for box in bench.selectbox if box.label == "讲哪个方案"] == ["P1"]
    assert "草稿方案“汛期攻坚方案(示例)”" in next(b for b in bench.selectbox if b.label == "讲哪个方案").options
    assert bench.multiselect[0].options[:3] == ["图册", "状况图", "汇报演示"]
    bench.multiselect[0].set_value(["工作簿", "简报"]).run()
    next(button for button in bench.button if button.label == "做月报").click().run()
    assert not bench.exception
    data, name = bench.session_state["pack"]
    assert name == "示例流域-2022-07.zip"
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["2022-07-数据.xlsx", "2022-07-简报.docx"]
