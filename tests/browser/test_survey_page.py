"""The page of a survey in Chromium: no violation that axe-core finds, with and without scripts, narrow and wide."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.surveys import SurveyInvitation, Trigger
from tests.api import asking
from tests.browser import chromium
from tests.gate import node
from tests.servers import free_cluster_ports
from tests.surveying import ask, survey

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(chromium.FOUND is None, reason="Chromium is not installed"),
]
AXE = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(
  (found) => found.violations.map((each) => `${each.id}: ${each.nodes.map((n) => n.target).join(" ")}`))"""
WIDTHS = (390, 1280)


async def sized(tab: chromium.Tab, width: int) -> None:
    """Give the page the width of a phone or of a desk."""
    await tab.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=800, deviceScaleFactor=1, mobile=width < 500,
    )  # fmt: skip


async def violations(tab: chromium.Tab, axe: str) -> Any:
    """What axe-core finds wrong with the page that is shown."""
    await tab.until("document.readyState === 'complete' && Boolean(document.querySelector('h1'))")
    await tab.run(f"void (() => {{ {axe} }})()")
    return await tab.run(AXE)


async def is_answered(api: asking.Api, invitation_id: UUID) -> bool:
    """Whether the answers of an invitation were stored."""
    async with api.make() as session:
        row = await session.get_one(SurveyInvitation, invitation_id)
        return row.is_answered


async def test_the_page_of_a_survey_has_no_violation_and_needs_no_script(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    axe = (node.installed() / "node_modules" / "axe-core" / "axe.min.js").read_text()
    [port] = free_cluster_ports(1)
    configured = asking.settings(database_url, redis_url, tmp_path, port=port)
    async with (
        asking.serving(configured, port=port) as server,
        chromium.tab(tmp_path) as tab,
    ):
        api = server.api
        office = await asking.office(api)
        await survey(api.make, office.world.tenant.id, api.state.now(), Trigger.QUARTERLY)
        invitations = await ask(api.make, office.world.account, api.state.now())
        url = f"http://127.0.0.1:{server.port}/s"
        links = [f"{url}/{api.state.survey_links.token(each.id)}" for each in invitations]
        checked = 0
        for width in WIDTHS:
            await sized(tab, width)
            for language in ("nl", "en"):
                await tab.go(f"{links[0]}?language={language}&experience=4")
                assert await violations(tab, axe) == []
                wide = "document.documentElement.scrollWidth <= innerWidth"
                assert await tab.run(wide), f"the page is wider than {width} px"
                checked += 1
            await tab.go(f"{url}/unknown")
            assert await violations(tab, axe) == []
            checked += 1
            await tab.go(f"{links[0]}?language=en")
            await tab.until("Boolean(document.querySelector('button'))")
            await tab.run("void (document.querySelector('form').noValidate = true)")
            await tab.run(
                "void [...document.querySelectorAll('input')].forEach((e) => e.checked = false)"
            )
            await tab.press("Send")
            await tab.until("Boolean(document.querySelector('[role=alert]'))")
            assert await violations(tab, axe) == []
            checked += 1
        # Sent and thanked; whoever follows the link again finds the form with what was answered.
        await tab.go(f"{links[0]}?language=en&experience=4")
        await tab.press("Send")
        await tab.sees("Thank you")
        assert await is_answered(api, invitations[0].id)
        for width in WIDTHS:
            await sized(tab, width)
            assert await violations(tab, axe) == []
            checked += 1
        usable = await tab.run(
            "(() => { const [n] = performance.getEntriesByType('navigation');"
            " return n.domInteractive - n.responseStart })()"
        )

        await tab.call("Emulation.setScriptExecutionDisabled", value=True)
        await sized(tab, 390)
        await tab.go(f"{links[1]}?experience=4")
        # A form is sent by pressing its button, as a person does: no script of the page is there.
        await tab.until("Boolean(document.querySelector('button'))")
        place = await tab.run(
            "(() => { const b = document.querySelector('button'); b.scrollIntoView();"
            " const r = b.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await tab.call(
                "Input.dispatchMouseEvent",
                type=kind, x=place[0], y=place[1], button="left", clickCount=1,
            )  # fmt: skip
        async with asyncio.timeout(30):
            while not await is_answered(api, invitations[1].id):  # noqa: ASYNC110 - the form is sent
                await asyncio.sleep(0.1)
        await tab.call("Emulation.setScriptExecutionDisabled", value=False)
        for width in WIDTHS:
            await sized(tab, width)
            await tab.go(links[1])
            assert await violations(tab, axe) == []
            checked += 1
        assert tab.complaints == []
        print(f"{checked} pages without a violation; usable {usable:.0f} ms after the first byte")  # noqa: T201
        assert usable <= 100
