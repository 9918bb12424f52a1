# ruff: noqa: INP001  # a script, not a package
"""Takes the documentation's screenshot of the page, from a running showcase.

mlapi up config/showcase.json --detach && .venv/bin/python docs/screenshot.py http://127.0.0.1:8080
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

PICTURE = Path(__file__).parent / "img/page.png"
SIZE: ViewportSize = {"width": 1180, "height": 760}


def take_picture(url: str) -> None:
    """Asks the chat model a question, and writes a screenshot of the page with its answer."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{url.rstrip('/')}/#chat")
        page.get_by_label("Your question").fill("What is the capital of France?")
        page.get_by_role("button", name="Send").click()
        page.get_by_text("first word after").wait_for()
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    take_picture(sys.argv[1])
