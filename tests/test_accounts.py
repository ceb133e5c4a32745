"""Accounts: who gets in, who does not, and what somebody learns who tries."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hydro.errors import HydroError
from layers.store.accounts import ATTEMPTS, Accounts
from layers.store.roles import User

GOOD = "清水绿岸-鱼翔浅底-2026"


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    made = Accounts(str(tmp_path / "var" / "accounts.sqlite"), clock=clock)
    made.add("Li", GOOD, role="planner", county="卫辉市", days=30)
    return made


def refusal(accounts: Accounts, name: str, password: str) -> str:
    with pytest.raises(HydroError) as caught:
        accounts.sign_in(name, password)
    return caught.value.code


def test_there_is_no_account_before_one_is_made(tmp_path: Path) -> None:
    fresh = Accounts(str(tmp_path / "a.sqlite"))
    assert len(fresh) == 0
    for name, password in (("admin", "admin"), ("", ""), ("root", "")):
        assert refusal(fresh, name, password) == "sign_in"


def test_the_right_password_brings_role_and_county(accounts: Accounts) -> None:
    assert accounts.sign_in(" LI ", GOOD) == User("li", "planner", "卫辉市")


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(accounts: Accounts) -> None:
    assert refusal(accounts, "li", "wrong") == refusal(accounts, "nobody", "wrong") == "sign_in"
    assert refusal(accounts, "li' OR 1=1 --", "x") == "sign_in"


def test_wrong_passwords_pause_the_account_longer_and_longer(accounts: Accounts, clock: Clock) -> None:
    for _ in range(ATTEMPTS):
        assert refusal(accounts, "li", "wrong") == "sign_in"
    assert refusal(accounts, "li", "wrong") == "sign_in"  # the sixth: a pause of two minutes begins
    assert refusal(accounts, "li", GOOD) == "paused"
    clock.now += 119
    assert refusal(accounts, "li", GOOD) == "paused"
    clock.now += 2
    assert refusal(accounts, "li", "wrong") == "sign_in"  # the seventh: four minutes
    clock.now += 239
    assert refusal(accounts, "li", GOOD) == "paused"
    clock.now += 2
    assert accounts.sign_in("li", GOOD).role == "planner"
    assert refusal(accounts, "li", "wrong") == "sign_in"
    assert accounts.sign_in("li", GOOD).role == "planner"


def test_many_guesses_at_once_do_not_escape_the_count(accounts: Accounts) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: refusal(accounts, "li", f"guess {n}"), range(24)))
    assert answers.count("sign_in") <= ATTEMPTS + 1
    assert refusal(accounts, "li", GOOD) == "paused"


def test_an_account_ends(accounts: Accounts, clock: Clock) -> None:
    user = accounts.sign_in("li", GOOD)
    assert accounts.still(user)
    clock.now += 31 * 86400
    assert refusal(accounts, "li", GOOD) == "expired"
    assert refusal(accounts, "li", "wrong") == "sign_in"
    assert not accounts.still(user)


def test_a_role_taken_away_ends_what_was_signed_in_with_it(accounts: Accounts) -> None:
    user = accounts.sign_in("li", GOOD)
    accounts.add("li", GOOD, role="viewer")
    assert not accounts.still(user)
    accounts.remove("li")
    assert refusal(accounts, "li", GOOD) == "sign_in"


@pytest.mark.parametrize("password", ["", "short", "li-is-my-name", "aaaaaaaaaaaaaaa"])
def test_weak_passwords_are_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(HydroError, match="密码至少 10 个字符，不能含账号名，也不能多是重复字符。"):
        accounts.add("li", password, role="viewer")


def test_who_signs_in_elsewhere_needs_an_account_here_and_no_password_opens_it(accounts: Accounts) -> None:
    accounts.add("wang@city.gov", None, role="approver")
    assert accounts.signed_in_elsewhere("Wang@City.gov") == User("wang@city.gov", "approver")
    assert refusal(accounts, "wang@city.gov", "") == "sign_in"
    with pytest.raises(HydroError, match=r"x@city\.gov 在本系统没有账号。请联系管理员开通。"):
        accounts.signed_in_elsewhere("x@city.gov")


def test_nothing_on_the_disk_holds_a_password(accounts: Accounts, tmp_path: Path) -> None:
    path = tmp_path / "var" / "accounts.sqlite"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert GOOD.encode() not in path.read_bytes()
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT hash FROM accounts").fetchone()[0].startswith("$argon2id$")
    assert "hash" not in accounts.list().columns
