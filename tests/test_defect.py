"""A defect of the program reaches the user as a sentence with a number, and the log as the same number with the place."""

import io
import json

from streamlit.testing.v1 import AppTest

from layers.store.health import log_to


def page() -> None:
    from ui import parts

    with parts.guard():
        raise ZeroDivisionError("卫河 0.312")


def test_a_defect_is_a_sentence_with_the_number_of_its_log_line() -> None:
    log = io.StringIO()
    log_to(log)
    try:
        app = AppTest.from_function(page).run()
    finally:
        log_to()
    assert not app.exception
    line = json.loads(log.getvalue())
    assert app.text[0].value == f"程序出错，这一步没有完成。请重试；仍不成时，请把编号 {line['number']} 告诉管理员。"
    assert (line["event"], line["error"]) == ("defect", "ZeroDivisionError")
    assert line["where"].rpartition(":")[2].isdigit()
    assert "卫河" not in log.getvalue(), "the log names no place and no figure"
