"""The deployment that docs/deployment.md describes: three processes behind nginx on one PostGIS, with sign-in."""

import asyncio
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any, TypeVar

import pytest
from playwright.sync_api import expect
from postgres import Cluster, free_port
from websockets.exceptions import InvalidStatus

import layers
from benchmarks.sessions import Visitor
from benchmarks.synthetic import make_basin
from layers.store.accounts import Accounts
from tests.browser.conftest import TOP, Visit, await_health

Result = TypeVar("Result")
PASSWORD = "清水绿岸-鱼翔浅底-2026"


@dataclass
class Site:
    """What runs: the address people use, the project behind it, and nginx's log of who answered."""

    address: str
    project: layers.Project
    log: Path

    def served_by(self, cookie: str) -> set[str]:
        """The processes that have answered whoever carries a cookie."""
        return {line.split()[1] for line in self.log.read_text().splitlines() if line.split()[0] == cookie}


def documented(port: int, apps: list[int], health: int) -> str:
    """The nginx text of the documentation, on this machine's ports and without a certificate."""
    text = (TOP / "docs" / "deployment.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    for given, here in {
        "https://qingyuan.example.cn": f"http://127.0.0.1:{port}", "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        " Secure;": "", **dict(zip(("8501", "8502", "8503", "8600"), map(str, [*apps, health]), strict=True)),
    }.items():  # fmt: skip
        assert given in block, given
        block = block.replace(given, here)
    return str(block)


@pytest.fixture(scope="module")
def site(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        if os.environ.get("CI"):
            pytest.fail("no nginx; run tools/system_packages.sh")
        pytest.skip("no nginx; run tools/system_packages.sh")
    folder = tmp_path_factory.mktemp("site")
    url, people = postgres.url("site"), postgres.url("site").split("?")[0]
    project = layers.create_project(url, name="示例", demo=True, tables=make_basin(40, 12, 3, seed=5))
    project.plans.create("一期")
    accounts = Accounts(people)
    for name in ("li", "wang", "zhao"):
        accounts.add(name, PASSWORD, role="planner")
    port, health, apps = free_port(), free_port(), [free_port() for _ in range(3)]
    log = folder / "answered"
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
        + ("user root;\n" if os.geteuid() == 0 else "")
        + f"events {{}}\nhttp {{ log_format who '$cookie_desk $upstream_addr'; access_log {log} who;\n"
        + "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + documented(port, apps, health)
        + "}\n",
        encoding="utf-8",
    )  # fmt: skip
    environment = os.environ | {"QINGYUAN_PROJECT": url, "QINGYUAN_ACCOUNTS": people}
    commands = [
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(each),
            "--server.address",
            "127.0.0.1",
        ]
        for each in apps
    ]
    commands.append([sys.executable, "cli.py", "health", url, "--port", str(health)])
    commands.append([which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "", "-c", str(folder / "nginx.conf")])
    running = []
    for number, command in enumerate(commands):
        out = (folder / f"{number}.log").open("wb")
        running.append(subprocess.Popen(command, cwd=TOP, env=environment, stdout=out, stderr=subprocess.STDOUT))
    try:
        for number, each in enumerate(apps):
            await_health(f"http://127.0.0.1:{each}", running[number], folder / f"{number}.log")
        await_health(f"http://127.0.0.1:{port}", running[-1], folder / "error.log")
        yield Site(f"http://127.0.0.1:{port}", project, log)
    finally:
        running[-1].terminate()
        for process in running[:-1]:
            process.kill()
        for process in running:
            process.wait(20)
        project.close()


def alone(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it on a thread of its own: this one belongs to the browser."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(work, 120)).result()


def test_a_decision_made_through_one_process_appears_through_the_others(site: Site) -> None:
    mine, theirs, *_ = site.project.table("outlets")["outlet_id"]
    by_process: dict[str, str] = {}
    for number in range(60):
        request = urllib.request.Request(f"{site.address}/_stcore/health", headers={"Cookie": f"desk=d{number}"})
        urllib.request.urlopen(request).close()
    time.sleep(0.2)
    for number in range(60):
        (process,) = site.served_by(f"d{number}")
        by_process.setdefault(process, f"d{number}")
    assert len(by_process) == 3

    async def meet() -> None:
        names = dict(zip(("li", "wang", "zhao"), by_process.values(), strict=True))
        visitors = {name: Visitor(site.address, {"Cookie": f"desk={cookie}"}) for name, cookie in names.items()}
        for name, visitor in visitors.items():
            await visitor.__aenter__()
            await visitor.sign_in(name, PASSWORD)
        for name, outlet, decision in (("li", mine, "seal"), ("wang", theirs, "regulate")):
            await visitors[name].click_map("source", outlet)
            await visitors[name].press(f"mark_{decision}")
        for name, visitor in visitors.items():
            await visitor.poll()
            assert visitor.component("live")["decided"] == {mine: "seal", theirs: "regulate"}, name
            assert visitor.errors == []
            await visitor.__aexit__()

    alone(meet())
    made = site.project.plans.decisions("一期")["decided_by"].to_dict()
    assert made == {mine: "li", theirs: "wang"}
    assert site.project.verify() == []
    time.sleep(0.2)
    assert {cookie: len(site.served_by(cookie)) for cookie in by_process.values()} == dict.fromkeys(
        by_process.values(), 1
    )


def test_a_browser_is_let_in_and_works_under_the_policy_of_the_proxy(visit: Visit, site: Site) -> None:
    visit.page.goto(site.address)
    expect(visit.page.get_by_label("密码")).to_be_visible()
    assert visit.page.locator("iframe").count() == 0  # nothing is shown to who has not signed in
    visit.page.get_by_label("账号").fill("zhao")
    visit.page.get_by_label("密码").fill(PASSWORD)
    visit.page.get_by_role("button", name="登录").click()
    frame = visit.map()
    expect(frame.locator(".qy-legend")).to_contain_text("排污口")
    expect(visit.page.get_by_role("button", name="zhao · 退出")).to_be_visible()
    (cookie,) = [cookie for cookie in visit.page.context.cookies() if cookie["name"] == "desk"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert len(site.served_by(cookie["value"])) == 1
    visit.page.get_by_role("button", name="zhao · 退出").click()
    expect(visit.page.get_by_label("密码")).to_be_visible()
    visit.page.go_back()
    visit.page.goto(f"{site.address}/?source=S1&user=zhao&role=administrator")  # a link lets nobody in
    expect(visit.page.get_by_label("密码")).to_be_visible()


def answered(address: str) -> bytes:
    """How an answer begins; nothing where the address is refused."""
    try:
        with urllib.request.urlopen(address) as answer:
            return bytes(answer.read(15).lower())
    except urllib.error.HTTPError:
        return b""


def test_what_the_proxy_adds_and_refuses(site: Site) -> None:
    with urllib.request.urlopen(site.address) as answer:
        told = answer.headers
    assert told["X-Frame-Options"] == "SAMEORIGIN"
    assert told["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in told["Content-Security-Policy"]
    assert "http" not in told["Content-Security-Policy"]
    assert told["Server"] == "nginx"
    with urllib.request.urlopen(f"{site.address}/health") as answer:
        assert b'"ok": true' in answer.read()

    def refused(path: str, **headers: str) -> int:
        request = urllib.request.Request(f"{site.address}{path}", method="POST", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        return int(caught.value.code)

    upload = "/_stcore/upload_file/00000000-0000-0000-0000-000000000000/1"
    assert refused(upload, **{"Content-Length": str(201 * 2**20)}) == 413
    assert refused(upload, Origin="https://evil.example") == 403
    for way in (
        "/app/static/../../var/accounts.sqlite",
        "/app/static/%2e%2e/%2e%2e/cli.py",
        "/app/static/..%2f..%2fcli.py",
    ):
        assert answered(site.address + way) in (b"<!doctype html>", b"")  # the app's own page, never the file


def test_another_site_cannot_open_a_session(site: Site) -> None:
    async def attempt() -> None:
        async with Visitor(site.address, {"Origin": "https://evil.example"}):
            pass

    with pytest.raises(InvalidStatus) as caught:
        alone(attempt())
    assert caught.value.response.status_code == 403


def test_a_forged_cookie_lets_nobody_in(site: Site) -> None:
    forged = "_streamlit_user=2|1:0|10:1700000000|15:_streamlit_user|8:eyJpc19s|deadbeef; session=zhao; user=zhao"

    async def look() -> str:
        async with Visitor(site.address, {"Cookie": f"desk=x; {forged}", "Origin": site.address}) as visitor:
            labels = " ".join(str(getattr(held, "label", "")) for held in visitor.elements.values())
            return labels

    labels = alone(look())
    assert "密码" in labels
    assert "退出" not in labels
