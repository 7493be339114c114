"""Whoever signs in is told by letter, at the own address only, when the password, a factor or a session changed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain import credentials
from domain.core.db import transaction
from domain.factors.notices import SecurityChange, SecurityNotice
from domain.messages.rules import LANGUAGES, render
from schema.core import ids
from tests import facts
from tests.gate.authenticator import Authenticator
from tests.gate.test_invitations import body_of, mailing
from tests.gate.test_second_factor import RESET, with_app
from tests.gate.test_sign_in import PASSWORD, login, post

SESSIONS = "{ sessions(first: 9) { nodes { id endedAt user { id } } } }"
END = "mutation ($id: ID!) { endSession(input: {id: $id}) { __typename } }"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("change", SecurityChange)
def test_a_notice_says_what_changed_and_what_to_do(change: SecurityChange, language: str) -> None:
    notice = SecurityNotice(
        company="Veilig BV", change=change, email="an@client.example", url="https://w.example/password",
        at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    )  # fmt: skip
    words = render(notice, language=language, time_zone="Europe/Amsterdam", name="An")
    assert words.subject.endswith(": Veilig BV")
    assert "10:30" in words.body, "in the company's zone"
    assert "an@client.example" in words.body
    by_others = change in {SecurityChange.FACTORS_RESET, SecurityChange.SESSION_ENDED}
    assert ("https://w.example/password" in words.body) is not by_others


async def test_the_owner_hears_of_each_change_and_nobody_else_does(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with mailing(database_url, redis_url, tmp_path) as (api, box, office, someone):
        user = ids.write("User", someone.user.id)

        async def heard(subject: str) -> None:
            await facts.until(lambda: subject in subjects(), within_s=60)

        def subjects() -> list[str]:
            return [each["subject"].rpartition(":")[0] for each in box.to(someone.email)]

        await heard("Uw wachtwoord is ingesteld")
        token = (await login(api, someone)).json()["accessToken"]
        _, codes = await with_app(api, token)
        await heard("Er is een authenticator-app toegevoegd")
        options = (await post(api, "/auth/passkeys/options", token, current=PASSWORD)).json()
        own = Authenticator(origin="https://desk.guards.example", rp_id="desk.guards.example")
        made = await post(api, "/auth/passkeys", token, name="Key", credential=own.make(options))
        assert made.status_code == 200, made.text
        await heard("Er is een passkey toegevoegd")
        again = await post(api, "/auth/recovery-codes", token, current=PASSWORD)
        code = again.json()["recoveryCodes"][0]
        await heard("U hebt nieuwe herstelcodes")
        assert codes[0] not in again.text
        signed = await post(
            api, "/auth/login", email=someone.email, password=PASSWORD, recoveryCode=code
        )
        await heard("Er is een herstelcode gebruikt")
        refresh = signed.json()["refreshToken"]
        assert (await post(api, "/auth/logout", refreshToken=refresh)).status_code == 204
        told = await api.data(office.manager, SESSIONS)
        going_on = [
            each
            for each in told["sessions"]["nodes"]
            if each["user"]["id"] == user and each["endedAt"] is None
        ]
        assert len(going_on) == 1
        await api.data(office.manager, END, id=going_on[0]["id"])
        await heard("U bent uitgelogd")
        async with transaction(api.make) as session:
            await credentials.begin(session, someone.user, at=api.state.now())
        await api.data(office.manager, RESET, id=user)
        await heard("Uw tweede factoren zijn verwijderd")
        assert sorted(subjects()) == sorted(set(subjects())), (
            "own sign-outs, and those with a reset, need none"
        )
        names = {each["message-id"].partition("@")[0].partition(".")[0] for each in box.letters}
        assert len(names) == len(box.letters), "without a mail server each is a file of its own"
        assert {each["to"] for each in box.letters} == {someone.email}
        assert all(code not in body_of(each) for each in box.letters)
