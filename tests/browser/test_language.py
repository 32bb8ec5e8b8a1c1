"""Tests Home Assistant and a user in Chinese."""

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect
import pytest

from demo.browser import speak
from demo.stage import Stage

from .dialogs import add_dialog, choose, enter, fill, refused
from .profile import user_preferences


@pytest.fixture
async def chinese(page: Page, running: Stage) -> AsyncIterator[None]:
    """Sets the language of Home Assistant and of the user to Chinese."""
    await running.speak("zh-Hans")
    await speak(page, "zh-Hans")
    async with user_preferences(running, "zh-Hans", "language"):
        yield
    await running.speak("en")


@pytest.mark.usefixtures("chinese")
async def test_everything_is_in_chinese(page: Page, running: Stage) -> None:
    """Tests the dashboard, names of entities, dialogs and their errors."""
    await page.goto(f"{running.hass.url}/tunnel-hub/overview")
    for words in (
        "需要注意",
        "通往外网的路径",
        "已断开",
        "剩余流量",
        "今日已签到",
    ):
        await expect(page.get_by_text(words, exact=True).first).to_be_visible()
    attention = page.locator("tunnel-hub-attention")
    await expect(attention).to_contain_text("dave · 密码冲突")

    await page.goto(f"{running.hass.url}/tunnel-hub/more")
    for words in ("用户", "规则", "启用", "踢出所有会话"):
        await expect(page.get_by_text(words, exact=True).first).to_be_visible()

    dialog = await add_dialog(page, running)
    await expect(dialog).to_contain_text("您使用哪个隧道服务？")
    await choose(dialog, "HY2 SCALE")
    for label in ("主机", "端口", "用户名", "密码"):
        await fill(dialog, label, "127.0.0.1" if label == "主机" else "1")
    await enter(dialog, "提交")
    await refused(dialog)
    await expect(dialog.get_by_role("alert").first).not_to_contain_text("service")
