"""Sign-in by the city's own service: it says who somebody is, the accounts here say what they may do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from oidc import CLIENT, SECRET, Provider, provider
from playwright.sync_api import expect
from postgres import free_port

import layers
from benchmarks.synthetic import make_basin
from layers.store.accounts import Accounts
from tests.browser.conftest import TOP, Visit, await_health

IDLE_MINUTES = 0.4


@pytest.fixture
def city() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def address(city: Provider, tmp_path: Path) -> Iterator[str]:
    """The app, configured as docs/deployment.md says, with one account that has no password here."""
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f'[auth]\nredirect_uri = "{here}/oauth2callback"\ncookie_secret = "{os.urandom(16).hex()}"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{city.url}/.well-known/openid-configuration"\n'
    )
    layers.create_project(tmp_path / "a.gpkg", name="示例", demo=True, tables=make_basin(30, 6, 2, seed=2)).close()
    Accounts(str(tmp_path / "accounts.sqlite")).add("li@city.example", None, role="planner")
    log = tmp_path / "log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--secrets.files", str(secrets)], cwd=TOP, stdout=log.open("wb"), stderr=subprocess.STDOUT,
        env=os.environ | {
            "QINGYUAN_PROJECT": str(tmp_path / "a.gpkg"), "QINGYUAN_ACCOUNTS": str(tmp_path / "accounts.sqlite"),
            "QINGYUAN_IDLE_MINUTES": str(IDLE_MINUTES),
        },
    )  # fmt: skip
    await_health(here, process, log)
    yield here
    process.kill()
    process.wait(10)


def test_who_the_city_vouches_for_comes_in_with_the_role_given_here(visit: Visit, city: Provider, address: str) -> None:
    city.email = "stranger@city.example"
    visit.page.goto(address)
    visit.page.get_by_role("button", name="用统一认证登录").click()
    expect(visit.page.get_by_text("stranger@city.example 在本系统没有账号。请联系管理员开通。")).to_be_visible()
    assert visit.page.locator("iframe").count() == 0
    visit.page.get_by_role("button", name="退出登录").click()

    city.email = "li@city.example"
    visit.page.get_by_role("button", name="用统一认证登录").click()
    expect(visit.page.get_by_role("button", name="li@city.example · 退出")).to_be_visible()
    visit.map()
    assert city.asked == 2
    used = visit.page.evaluate("() => performance.getEntriesByType('navigation')[0].name")
    visit.page.get_by_role("button", name="li@city.example · 退出").click()
    expect(visit.page.get_by_role("button", name="用统一认证登录")).to_be_visible()
    visit.page.goto(f"{address}/oauth2callback?code=used&state=made-up")  # a link of somebody's sign-in, opened again
    visit.page.goto(used)
    expect(visit.page.get_by_role("button", name="用统一认证登录")).to_be_visible()
    visit.complaints.clear()  # the browser tells of the answer 400 to the link


def test_an_idle_session_ends_though_the_browser_still_knows_who_came(
    visit: Visit, city: Provider, address: str
) -> None:
    city.email = "li@city.example"
    visit.page.goto(address)
    visit.page.get_by_role("button", name="用统一认证登录").click()
    expect(visit.page.get_by_role("button", name="li@city.example · 退出")).to_be_visible()
    visit.page.wait_for_timeout(IDLE_MINUTES * 60_000 + 1000)
    visit.page.goto(address)  # a new tab of the same browser, with the same cookie
    expect(visit.page.get_by_role("button", name="用统一认证登录")).to_be_visible()
    assert visit.page.locator("iframe").count() == 0


def test_an_address_that_the_service_has_not_verified_lets_nobody_in(
    visit: Visit, city: Provider, address: str
) -> None:
    city.email, city.verified = "li@city.example", False
    visit.page.goto(address)
    visit.page.get_by_role("button", name="用统一认证登录").click()
    expect(visit.page.get_by_text("统一认证没有核实 li@city.example 这个邮箱，不能凭它登录。")).to_be_visible()
