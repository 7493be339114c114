"""Second factors: codes of an app, recovery codes and passkeys, each good once, and asked of staff if so set."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.identity import authenticator, second_factor
from api.support.rate_limit import RateLimit
from domain import factors
from domain.core.ledger import LedgerRow
from domain.factors.rules import STEP_S, code_at, matching_step, step_of
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate.authenticator import PRESENT, Authenticator
from tests.gate.test_sign_in import PASSWORD, VIEWER, Person, login, person, post

RESET = """mutation ($id: ID!) { resetSecondFactor(input: {id: $id}) {
    __typename ... on Refusal { code } } }"""


@pytest.fixture
async def someone(api: Api, office: Office) -> Person:
    return await person(api, office)


async def signed_in(api: Api, someone: Person) -> str:
    token: str = (await login(api, someone)).json()["accessToken"]
    return token


async def with_app(api: Api, token: str) -> tuple[bytes, list[str]]:
    """Enrol an authenticator app; its secret and the recovery codes."""
    begun = (await post(api, "/auth/totp", token, current=PASSWORD)).json()
    text = begun["secret"]
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    assert begun["uri"].startswith("otpauth://totp/")
    left_s = STEP_S - api.state.now().timestamp() % STEP_S
    await asyncio.sleep(
        left_s if left_s < 3 else 0
    )  # so that the step before is still good when it is judged
    code = code_at(secret, step_of(api.state.now()) - 1)
    confirmed = await post(api, "/auth/totp/confirm", token, code=code)
    assert confirmed.status_code == 200, confirmed.text
    return secret, confirmed.json()["recoveryCodes"]


async def with_passkey(api: Api, token: str) -> Authenticator:
    options = (await post(api, "/auth/passkeys/options", token, current=PASSWORD)).json()
    own = Authenticator()
    made = await post(api, "/auth/passkeys", token, name="Key", credential=own.make(options))
    assert made.status_code == 200, made.text
    return own


def code_of(answer: Any) -> str:
    code: str = answer.json()["errors"][0]["extensions"]["code"]
    return code


def told(answer: Any) -> Any:
    return answer.json()["errors"][0]["extensions"]


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
        (2000000000, "279037"), (20000000000, "353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    secret = b"12345678901234567890"
    at = datetime.fromtimestamp(seconds, UTC)
    assert code_at(secret, step_of(at)) == code
    assert matching_step(secret, code, at + timedelta(seconds=30), None) == step_of(at)
    assert matching_step(secret, code, at + timedelta(seconds=90), None) is None
    assert matching_step(secret, code, at, step_of(at)) is None, "none is good twice"


async def test_a_password_alone_does_not_suffice_any_more_and_no_code_is_good_twice(
    api: Api, someone: Person
) -> None:
    secret, _ = await with_app(api, await signed_in(api, someone))
    asked = await login(api, someone)
    assert (asked.status_code, code_of(asked)) == (401, "SECOND_FACTOR_NEEDED")
    assert "totp" in told(asked)["methods"]
    challenge = told(asked)["challenge"]
    wrong = await post(api, "/auth/second-factor", challenge=challenge, code="000000")
    assert (wrong.status_code, code_of(wrong)) == (401, "SECOND_FACTOR_WRONG")
    code = code_at(secret, step_of(api.state.now()))
    right = await post(api, "/auth/second-factor", challenge=challenge, code=code)
    assert right.status_code == 200
    viewer = await api.data(right.json()["accessToken"], VIEWER)
    assert viewer["viewer"]["subject"] == f"user:{someone.user.id}"
    replayed = await post(api, "/auth/second-factor", challenge=challenge, code=code)
    assert replayed.status_code == 401
    async with api.make() as session:
        kinds = await session.scalars(
            select(LedgerRow.kind).where(LedgerRow.subject_id == someone.user.id)
        )
        assert {"user.factor_added", "user.recovery_codes_made"} <= set(kinds)


async def test_a_code_may_be_sent_along_with_the_password(api: Api, someone: Person) -> None:
    secret, _ = await with_app(api, await signed_in(api, someone))
    code = code_at(secret, step_of(api.state.now()))
    both = {"email": someone.email, "password": PASSWORD, "code": code}
    assert (await post(api, "/auth/login", **both)).status_code == 200
    assert (await post(api, "/auth/login", **both)).status_code == 401
    wrong = both | {"password": "wrong password here"}
    assert code_of(await post(api, "/auth/login", **wrong)) == "UNAUTHENTICATED"


async def test_a_recovery_code_is_good_once_and_new_ones_end_the_old(
    api: Api, someone: Person
) -> None:
    token = await signed_in(api, someone)
    _, codes = await with_app(api, token)
    assert len(set(codes)) == 10
    both = {"email": someone.email, "password": PASSWORD}
    typed = codes[0].upper().replace("-", " ")
    first = await post(api, "/auth/login", **both, recoveryCode=typed)
    again = await post(api, "/auth/login", **both, recoveryCode=codes[0])
    assert (first.status_code, again.status_code) == (200, 401)
    fresh = await post(api, "/auth/recovery-codes", token, current=PASSWORD)
    assert fresh.status_code == 200
    old = await post(api, "/auth/login", **both, recoveryCode=codes[1])
    assert old.status_code == 401


async def test_guessing_codes_is_slowed_down_and_other_factors_still_get_in(
    api: Api, someone: Person
) -> None:
    _, codes = await with_app(api, await signed_in(api, someone))
    challenge = told(await login(api, someone))["challenge"]
    guesses = [
        await post(api, "/auth/second-factor", challenge=challenge, code=f"{n:06d}")
        for n in range(8)
    ]
    assert [guess.status_code for guess in guesses] == [401] * 5 + [429] * 3
    kept = await post(api, "/auth/second-factor", challenge=challenge, recoveryCode=codes[0])
    assert kept.status_code == 200


async def test_guessing_codes_from_many_addresses_is_slowed_down_too(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_factor, "OF_A_USER", RateLimit(per_s=1 / 60, burst=3))
    configured = asking.settings(database_url, redis_url, tmp_path, trusted_proxies=("127.0.0.1",))
    async with asking.running(configured, address="127.0.0.1") as api:
        someone = await person(api, await asking.office(api))
        await with_app(api, await signed_in(api, someone))
        challenge = told(await login(api, someone))["challenge"]
        codes = []
        for n in range(5):
            guess = await api.http.post(
                "/auth/second-factor",
                json={"challenge": challenge, "code": f"{n:06d}"},
                headers={"x-forwarded-for": f"203.0.113.{n}"},
            )
            codes.append(guess.status_code)
        assert codes == [401] * 3 + [429] * 2


async def test_a_challenge_ends_with_the_password_and_is_nobody_elses(
    api: Api, office: Office, someone: Person
) -> None:
    token = await signed_in(api, someone)
    secret, _ = await with_app(api, token)
    challenge = told(await login(api, someone))["challenge"]
    other = await person(api, office)
    other_secret, _ = await with_app(api, await signed_in(api, other))
    code = code_at(other_secret, step_of(api.state.now()))
    assert (
        await post(api, "/auth/second-factor", challenge=challenge, code=code)
    ).status_code == 401
    changed = await post(
        api, "/auth/password", token, current=PASSWORD, password="another long one"
    )
    assert changed.status_code == 204
    code = code_at(secret, step_of(api.state.now()))
    late = await post(api, "/auth/second-factor", challenge=challenge, code=code)
    assert (late.status_code, code_of(late)) == (401, "UNAUTHENTICATED")
    for nonsense in ("", "wc_", "wc_é", "x" * 3000, challenge[:-4]):
        answer = await post(api, "/auth/second-factor", challenge=nonsense, code=code)
        assert answer.status_code == 401


async def test_a_passkey_signs_in_alone_and_as_second_factor(api: Api, someone: Person) -> None:
    token = await signed_in(api, someone)
    own = await with_passkey(api, token)
    options = (await post(api, "/auth/passkey/options")).json()
    answer = own.answer(options)
    alone = await post(api, "/auth/passkey", credential=answer)
    assert alone.status_code == 200, alone.text
    viewer = await api.data(alone.json()["accessToken"], VIEWER)
    assert viewer["viewer"]["subject"] == f"user:{someone.user.id}"
    assert (await post(api, "/auth/passkey", credential=answer)).status_code == 401, "a replay"
    asked = told(await login(api, someone))
    assert "passkey" in asked["methods"]
    second = own.answer(asked["passkey"])
    both = await post(api, "/auth/second-factor", challenge=asked["challenge"], passkey=second)
    assert both.status_code == 200
    listed = (await post(api, "/auth/factors", token)).json()["passkeys"]
    assert [each["name"] for each in listed] == ["Key"]
    path = f"/auth/passkeys/{listed[0]['id']}/remove"
    assert (await post(api, path, token, current="wrong")).status_code == 401
    assert (await post(api, path, token, current=PASSWORD)).status_code == 204
    gone = own.answer((await post(api, "/auth/passkey/options")).json())
    assert (await post(api, "/auth/passkey", credential=gone)).status_code == 401
    assert (await login(api, someone)).status_code == 200


@pytest.mark.parametrize(
    "bad", ["origin", "another key", "unverified", "signature", "counter", "kind", "nonsense"]
)
async def test_a_passkey_s_answer_that_is_wrong_in_any_way_is_not_taken(
    api: Api, someone: Person, bad: str
) -> None:
    own = await with_passkey(api, await signed_in(api, someone))
    options = (await post(api, "/auth/passkey/options")).json()
    if bad == "origin":
        own.origin = "https://evil.example"
    elif bad == "another key":
        own.key = Authenticator().key
    elif bad == "unverified":
        own.flags = PRESENT
    elif bad == "counter":
        assert (await post(api, "/auth/passkey", credential=own.answer(options))).status_code == 200
        own.count = 0
        options = (await post(api, "/auth/passkey/options")).json()
    answer = own.make(options) if bad == "kind" else own.answer(options)
    if bad == "signature":
        answer["response"]["signature"] = "AAAA"
    elif bad == "nonsense":
        answer = {"id": 7, "rawId": [], "response": {"clientDataJSON": {}}}
    assert (await post(api, "/auth/passkey", credential=answer)).status_code == 401


async def test_a_passkey_is_made_for_who_asked_only(
    api: Api, office: Office, someone: Person
) -> None:
    other = await person(api, office)
    mine = await signed_in(api, someone)
    theirs = await signed_in(api, other)
    options = (await post(api, "/auth/passkeys/options", mine, current=PASSWORD)).json()
    made = Authenticator().make(options)
    stolen = await post(api, "/auth/passkeys", theirs, name="Key", credential=made)
    assert stolen.status_code == 422
    assert (await post(api, "/auth/passkeys/options", mine, current="wrong")).status_code == 401


async def test_who_lost_everything_is_helped_by_who_manages_and_by_nobody_else(
    api: Api, office: Office, someone: Person
) -> None:
    token = await signed_in(api, someone)
    await with_app(api, token)
    whom = ids.write("User", someone.user.id)
    for asker in (office.client, office.dispatcher):
        answer = (await api.data(asker, RESET, id=whom))["resetSecondFactor"]
        assert answer["code"] in {"NOT_FOUND", "NOT_ALLOWED"}
    assert (await api.data(office.manager, RESET, id=whom))["resetSecondFactor"] == {
        "__typename": "User"
    }
    assert (await login(api, someone)).status_code == 200
    async with api.make() as session:
        rows = await session.execute(
            select(LedgerRow.kind, LedgerRow.actor, LedgerRow.body).where(
                LedgerRow.subject_id == someone.user.id,
                LedgerRow.kind.in_(["user.signed_out", "user.factor_removed"]),
            )
        )
        done = {kind: (actor, body.get("ended_by")) for kind, actor, body in rows}
    manager, _ = done["user.factor_removed"]
    assert manager != f"user:{someone.user.id}"
    assert done["user.signed_out"] == (manager, "factors_reset")


async def test_staff_can_do_nothing_but_set_up_a_second_factor_where_one_is_asked_for(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    configured = asking.settings(database_url, redis_url, tmp_path, second_factor="staff")
    async with asking.running(configured) as api:
        office = await asking.office(api)
        someone = await person(api, office)
        answer = (await login(api, someone)).json()
        token = answer["accessToken"]
        assert answer["secondFactorNeeded"] is True
        refused = await api.ask(token, VIEWER)
        assert "second factor" in refused["errors"][0]["message"]
        assert (await post(api, "/auth/devices", token, name="Phone")).status_code == 401
        await with_app(api, token)
        assert (await api.data(token, VIEWER))["viewer"]["role"] == "DISPATCHER"
        assert (await api.data(office.client, VIEWER))["viewer"]["role"] == "CLIENT_ADMIN"


async def test_secrets_are_encrypted_and_forgotten_with_the_user(
    api: Api, office: Office, someone: Person
) -> None:
    token = await signed_in(api, someone)
    secret, _ = await with_app(api, token)
    await with_passkey(api, token)
    async with api.make() as session:
        row = await session.get_one(factors.Totp, someone.user.id)
    assert secret not in row.sealed
