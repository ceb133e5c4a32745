"""What README says to type does what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which README's import command has been run."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "var").mkdir()
    (folder / "data").symlink_to(TOP / "data")
    line = next(line for block in blocks("sh") for line in block.splitlines() if "cli.py import" in line)
    words = [sys.executable, str(TOP / "cli.py"), *line.split()[2:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_python_example_runs(demo: Path) -> None:
    (example,) = blocks("python")
    script = f"import sys; sys.path.insert(0, {str(TOP)!r})\n{example}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=demo, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "unexplained" in done.stdout


def test_the_trace_command_names_the_sources_of_huangfu(demo: Path) -> None:
    line = next(line for block in blocks("sh") for line in block.splitlines() if "cli.py trace" in line)
    words = [sys.executable, str(TOP / "cli.py"), *line.split()[2:]]
    done = subprocess.run(words, cwd=demo, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "城东污水处理厂" in done.stdout


def test_what_readme_points_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in target or (TOP / target).exists(), target


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    for command in ("run", "test"):
        assert f"make {command}" in README
        assert re.search(rf"^{command}:", makefile, flags=re.MULTILINE)
