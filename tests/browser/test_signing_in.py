"""The pages on which people sign in and change how they do, used in a real browser."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.factors.rules import code_at, step_of
from tests.api import asking
from tests.api.asking import Api, Server
from tests.browser import chromium
from tests.browser.chromium import Tab
from tests.gate.test_sign_in import PASSWORD, Person, login, person, post
from tests.servers import free_cluster_ports

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.FOUND is None, reason="Chromium is not installed"),
]
ENGLISH = "--accept-lang=en"


class Visit:
    """A browser in front of an installation."""

    def __init__(self, server: Server, tab: Tab) -> None:
        self.api: Api = server.api
        self.tab = tab
        self.home = f"http://localhost:{server.port}"

    async def sign_in(self, someone: Person, password: str = PASSWORD) -> None:
        """Send the first form of the page."""
        await self.tab.go(f"{self.home}/sign-in?next=/access")
        await self.tab.fill("#password-form [name=email]", someone.email)
        await self.tab.fill("#password-form [name=password]", password)
        await self.tab.press("Sign in", "#password-form")

    async def sign_out(self) -> None:
        """Leave."""
        await self.tab.press("Sign out")
        await self.tab.sees("You are signed out.")

    async def confirm(self) -> None:
        """Give the password that the page asks for."""
        await self.tab.fill("#confirm [name=current]", PASSWORD)
        await self.tab.press("Continue", "#confirm")

    async def authenticator(self) -> None:
        """Plug in an authenticator that knows its owner."""
        await self.tab.call("WebAuthn.enable")
        await self.tab.call(
            "WebAuthn.addVirtualAuthenticator",
            options={
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                "hasUserVerification": True, "isUserVerified": True,
                "automaticPresenceSimulation": True,
            },
        )  # fmt: skip

    async def codes(self) -> list[str]:
        """The recovery codes that the page shows."""
        await self.tab.until("document.querySelectorAll('#codes-list li').length === 10")
        script = "[...document.querySelectorAll('#codes-list li')].map((each) => each.textContent)"
        found: list[str] = await self.tab.run(script)
        return found


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
async def visit(
    database_url: str, redis_url: str, tmp_path: Path, settings: dict[str, Any]
) -> AsyncIterator[Visit]:
    [port] = free_cluster_ports(1)
    configured = asking.settings(database_url, redis_url, tmp_path, port=port, **settings)
    async with (
        asking.serving(configured, port=port) as server,
        chromium.tab(tmp_path, ENGLISH) as tab,
    ):
        yield Visit(server, tab)
        assert tab.complaints == [], "scripts threw, or the page's policy blocked something"


async def test_an_app_is_set_up_by_its_secret_and_asked_for_with_recovery_codes_behind_it(
    visit: Visit,
) -> None:
    someone, tab = await person(visit.api, await asking.office(visit.api)), visit.tab
    await visit.sign_in(someone, "wrong password here")
    await tab.sees("The address or the password is wrong.")
    await visit.sign_in(someone)
    await tab.sees("Not set up.")
    await tab.press("Set up an app")
    await visit.confirm()
    await tab.until("document.querySelector('#app-qr').naturalWidth > 0")
    text = (await tab.run("document.querySelector('#app-secret').textContent")).replace(" ", "")
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    await tab.fill("#app-form [name=code]", "000000")
    await tab.press("Continue", "#app-form")
    await tab.sees("That is not the code that the app shows.")
    step = step_of(visit.api.state.now())
    await tab.fill("#app-form [name=code]", code_at(secret, step - 1))
    await tab.press("Continue", "#app-form")
    codes = await visit.codes()
    await tab.sees("Set up: signing in asks for its code.")
    await tab.press("I have kept them")
    await visit.sign_out()

    await visit.sign_in(someone)
    await tab.sees("Code of your authenticator app")
    await tab.fill("#code-form [name=code]", code_at(secret, step))
    await tab.press("Continue", "#code-form")
    await tab.sees("You have recovery codes.")
    assert codes[0] not in await tab.run("document.body.innerHTML"), "shown once"
    await visit.sign_out()

    await visit.sign_in(someone)
    await tab.press("Use a recovery code")
    await tab.fill("#recovery-form input", codes[0])
    await tab.press("Continue", "#recovery-form")
    await tab.sees("Your access")
    await tab.press("Remove", "section:has(#app-title)")
    await visit.confirm()
    await tab.sees("Not set up.")
    assert (await login(visit.api, someone)).status_code == 200


async def test_a_passkey_is_made_and_signs_in_alone_and_after_the_password(visit: Visit) -> None:
    someone, tab = await person(visit.api, await asking.office(visit.api)), visit.tab
    await tab.go(f"{visit.home}/sign-in")
    await visit.authenticator()
    await visit.sign_in(someone)
    await tab.fill("#passkey-form [name=name]", "Laptop <b>")
    await tab.press("Add a passkey")
    await visit.confirm()
    await tab.sees("Laptop <b>")
    assert len(await visit.codes()) == 10
    await visit.sign_out()

    await tab.press("Sign in with a passkey")
    await tab.until("location.pathname === '/'")
    await tab.go(f"{visit.home}/access")
    await visit.sign_out()

    await visit.sign_in(someone)
    await tab.press("Use a passkey")
    await tab.sees("last used")
    await tab.press("Remove", "#passkeys")
    await visit.confirm()
    await tab.sees("No passkey yet.")


async def test_who_works_for_several_companies_chooses_after_the_password(visit: Visit) -> None:
    one, tab = await person(visit.api, await asking.office(visit.api)), visit.tab
    other = await person(visit.api, await asking.office(visit.api), email=one.email)
    await visit.sign_in(one)
    await tab.sees("Which company?")
    await tab.press(other.company, "#choices")
    await tab.sees(f"D, {other.company}")


async def test_sessions_are_seen_and_ended_and_a_new_password_ends_this_one(visit: Visit) -> None:
    someone, tab = await person(visit.api, await asking.office(visit.api)), visit.tab
    elsewhere = (await login(visit.api, someone)).json()["refreshToken"]
    await visit.sign_in(someone)
    await tab.sees("(this one)")
    await tab.until("document.querySelectorAll('#sessions li').length === 2")
    await tab.press("End", "#sessions")
    await tab.until("document.querySelectorAll('#sessions li').length === 1")
    ended = await post(visit.api, "/auth/refresh", refreshToken=elsewhere)
    assert ended.status_code == 401
    another = "another long sentence"
    for name, value in (("current", PASSWORD), ("password", another), ("again", another)):
        await tab.fill(f"#password-form [name={name}]", value)
    await tab.press("Change password")
    await tab.sees("Your password was changed.")
    await visit.sign_in(someone, another)
    await tab.sees("Your access")


@pytest.mark.parametrize("settings", [{"second_factor": "staff"}])
async def test_staff_who_must_have_a_factor_are_led_to_set_one_up(visit: Visit) -> None:
    someone, tab = await person(visit.api, await asking.office(visit.api)), visit.tab
    await tab.go(f"{visit.home}/sign-in")
    await visit.authenticator()
    await tab.fill("#password-form [name=email]", someone.email)
    await tab.fill("#password-form [name=password]", PASSWORD)
    await tab.press("Sign in", "#password-form")
    await tab.sees("Your company asks for a second factor.")
    await tab.fill("#passkey-form [name=name]", "Key")
    await tab.press("Add a passkey")
    await visit.confirm()
    await visit.codes()
    await tab.sees("(this one)")


async def test_both_pages_speak_dutch_and_english_and_every_field_has_a_label(visit: Visit) -> None:
    someone, tab = await person(visit.api, await asking.office(visit.api)), visit.tab
    await tab.go(f"{visit.home}/sign-in")
    await tab.press("Nederlands")
    await tab.sees("Wachtwoord vergeten?")
    assert await tab.run("document.documentElement.lang") == "nl"
    await tab.press("English")
    await visit.sign_in(someone)
    await tab.sees("Recovery codes")
    await tab.press("Nederlands")
    await tab.sees("Herstelcodes")
    unlabelled = (
        "[...document.querySelectorAll('input')].filter((each) => !each.labels.length).length"
    )
    assert await tab.run(unlabelled) == 0
    missing = (
        "[...document.querySelectorAll('[data-words]')].filter((each) => !each.textContent).length"
    )
    assert await tab.run(missing) == 0
