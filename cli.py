"""The terminal door: the verbs of the project, their exit codes (0 done, 1 the input has faults, 2 wrong usage)."""

from __future__ import annotations

import gc
import os
import sys

import typer

from terminal import drawing, judging, keeping, land, people, planning, projects, tracing
from terminal.show import complain
from terminal.words import DEFAULT_LANGUAGE, Spoken, say

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=say("清源：追溯总磷超标的来源，决定封堵哪些排污口。"),
)


@app.callback()
def everywhere(lang: Spoken = DEFAULT_LANGUAGE) -> None:
    """``--lang`` may stand before or behind the verb; :func:`terminal.words.spoken` has read it already."""


for group in (projects, land, tracing, drawing, planning, judging, keeping):
    app.registered_commands += group.verbs.registered_commands
app.add_typer(people.verbs, name="user")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 done, 1 the input has faults, 2 wrong usage. No traceback reaches a user.

    The matrices of a river are many and small: several threads on each wait for one another three times as long as one
    takes alone, hence one thread unless the caller's environment says otherwise.
    """
    from typer.exceptions import TyperException

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy is not loaded yet
    gc.set_threshold(
        50_000, 20, 20
    )  # what a command loads it keeps: searching it for garbage costs a tenth of a second
    try:
        return int(app(args=arguments, standalone_mode=False) or 0)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except typer.Abort:
        return 1
    except TyperException as wrong:
        wrong.show()  # type: ignore[attr-defined]  # every wrong usage can show itself
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # the last door before the user
        if os.environ.get("QINGYUAN_DEBUG"):
            raise
        complain(explained(error))
    return 1


def explained(error: Exception) -> list[str]:
    """What is wrong, line by line, in the user's language; a defect of the program says so."""
    from hydro.errors import FaultsError, HydroError

    if not isinstance(error, HydroError):
        return [say("程序内部错误：{error}。设 QINGYUAN_DEBUG=1 重试可得到详情，请据此报告", error=repr(error))]
    faults = error.faults if isinstance(error, FaultsError) else ()
    return [say(error.message, **error.params), *(say(fault.message, **fault.params) for fault in faults)]


if __name__ == "__main__":
    sys.exit(main())
