"""The chat for everybody and against everybody: every screen, assistive technology, hostile output."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from support.browser import DESKTOP, PHONE, start_visit
from support.chat_page import MARKDOWN
from support.page_server import Reply

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

    from support.browser import Visit
    from support.page_server import PageServer

pytestmark = pytest.mark.slow

VECTORS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a href=javascript:alert(1)>x</a>",
    "<details open ontoggle=alert(1)>",
    "<form><input name=innerHTML><button formaction=javascript:alert(1)>go</button></form>",
    "<base href=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>*{background:url(//evil.example)}</style>",
    "<x style=position:fixed;inset:0 onclick=alert(1)>cover</x>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:alert(1))",
    "[x](/health 'a\" onmouseover=\"alert(1)')",
    "[x](#key=stolen)",
    "![x](https://evil.example/leak.png)",
    '![x](x" onerror="alert(1))',
    "![x](javascript:alert(1))",
    '<https://evil.example/"onclick=alert(1)>',
    '```" onload=alert(1)\n<img src=x onerror=alert(1)>\n```',
    "```constructor\nx\n```",
    "```__proto__\nx\n```",
    "|<img src=x onerror=alert(1)>|\n|--|\n|<script>alert(1)</script>|",
    "- <input autofocus onfocus=alert(1)>",
    "> <video><source onerror=alert(1)>",
    "[r]\n\n[r]: javascript:alert(1)",
    "\u202e<b onmouseover=alert(1)>b</b>",
    "<!--><img src=x onerror=alert(1)>-->",
    "]]><img src=x onerror=alert(1)>",
    "${alert(1)} {{constructor.constructor('alert(1)')()}}",
)

FOREIGN = r"""body => {
  const tags = /^(script|img|svg|iframe|math|form|input|style|link|meta|base|object|embed|video|details)$/i;
  const named = /^(on|style$|srcdoc$)/i;
  const address = /^\s*(javascript|data|vbscript):/i;
  const isForeign = (node) =>
    (tags.test(node.tagName) && !node.closest('button')) // the icon of a button that copies is ours
    || [...node.attributes].some(({ name, value }) => named.test(name) || address.test(value))
    || (node.tagName === 'A' && !/^(https?:|mailto:)/.test(node.getAttribute('href')));
  return [...body.querySelectorAll('*')].filter(isForeign).map((node) => node.outerHTML);
}"""
"""What no answer may contain."""


def test_hostile_output_of_a_model_is_text(chat: Visit, server: PageServer) -> None:
    chat.page.evaluate("void (window.alert = () => { document.title = 'taken'; })")
    server.script("All?", Reply(("\n\n".join(VECTORS),)))
    server.script("Each?", Reply(tuple(f"{vector}\n\n" for vector in VECTORS)))
    for question in ("All?", "Each?"):
        chat.answered(question)
    for body in chat.answers.locator(".markdown").all():
        assert body.evaluate(FOREIGN) == []
        assert body.inner_text().count("<img src=x onerror=alert(1)>") >= 5, "as text, for all to read"
    server.script("Refused?", Reply(status=502, message=" ".join(VECTORS)))
    chat.ask("Refused?")
    problem = chat.answers.last.get_by_role("alert")
    problem.wait_for()
    assert problem.locator("img, script, iframe, b, a, form, style, details").count() == 0
    assert VECTORS[0] in problem.inner_text()
    chat.page.mouse.move(500, 400)
    assert chat.page.title() == "chat · Spring Hack"
    assert all(
        link.get_attribute("rel") == "noopener noreferrer nofollow"
        for link in chat.answers.locator(".markdown a").all()
    )


def test_the_policy_forbids_what_the_page_does_not_need(browser: Browser, server: PageServer) -> None:
    visited = start_visit(browser, server.url)
    tried = """async () => {
      const refused = [];
      addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
      const script = document.createElement("script");
      try {
        script.textContent = "document.title = 'taken'";
        document.head.append(script);
      } catch { refused.push("typed"); }
      try { document.body.innerHTML = "<b>x</b>"; } catch { refused.push("typed"); }
      const image = new Image(); image.src = "https://evil.example/x.png"; document.body.append(image);
      try { await fetch("https://evil.example/"); } catch { refused.push("fetch"); }
      await new Promise((done) => setTimeout(done));
      return [refused, document.title];
    }"""
    visited.page.get_by_label("Your question").wait_for()
    refused, title = visited.page.evaluate(tried)
    assert {"typed", "fetch", "img-src", "connect-src"} <= set(refused)
    assert title == "chat · Spring Hack"
    visited.page.context.close()


SCREENS = (
    ("desktop", DESKTOP, "dark"),
    ("between", {"width": 760, "height": 900}, "light"),
    ("phone", PHONE, "light"),
    ("small", {"width": 320, "height": 480}, "dark"),
)


@pytest.mark.parametrize(("name", "screen", "scheme"), SCREENS, ids=[name for name, _, _ in SCREENS])
def test_it_fits_every_screen_and_axe_finds_no_serious_fault(
    chat: Visit, server: PageServer, name: str, screen: ViewportSize, scheme: str
) -> None:
    page = chat.page
    page.set_viewport_size(screen)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    server.script(
        "Fit?", Reply((MARKDOWN + "\n" + "unbroken" * 40 + "\n\n`" + "code" * 60 + "`",), finish="length")
    )
    states = [check_screen(chat, f"{name}: welcome")]
    gate = threading.Event()
    server.script("Slow?", Reply(("It comes ", "slowly."), gate=gate))
    chat.ask("Slow?")
    page.get_by_text("It comes").wait_for()
    states.append(check_screen(chat, f"{name}: streaming"))
    gate.set()
    chat.wait_answered()
    chat.answered("Fit?")
    chat.page.locator(".mine").last.hover()
    states.append(check_screen(chat, f"{name}: conversation"))
    for label in ("Settings", "Use it from code"):
        page.get_by_role("button", name=label, exact=True).click()
        states.append(check_screen(chat, f"{name}: {label}", has_box=False))
        page.keyboard.press("Escape")
    server.script("Bad?", Reply(status=502, message="Gone. " * 20))
    chat.ask("Bad?")
    chat.answers.get_by_role("alert").wait_for()
    states.append(check_screen(chat, f"{name}: error"))
    page.get_by_role("button", name="Compare two models").click()
    chat.answered("Fit?")
    states.append(check_screen(chat, f"{name}: compare"))
    if page.get_by_role("button", name="Menu").is_visible():
        page.get_by_role("button", name="Menu").click()
        states.append(check_screen(chat, f"{name}: menu", has_box=False))
        page.keyboard.press("Escape")
    page.emulate_media(color_scheme="light")
    assert [fault for faults in states for fault in faults] == []


def check_screen(visited: Visit, state: str, *, has_box: bool = True) -> list[str]:
    """Returns what is wrong: wider than the screen, the box out of sight, serious faults."""
    page = visited.page
    is_judged = page.viewport_size == DESKTOP or state.endswith(("conversation", "menu"))
    faults = [f"{state}: {fault}" for fault in visited.find_serious_faults()] if is_judged else []
    if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
        faults.append(f"{state}: wider than the screen")
    if has_box:
        if page.locator(".composer").evaluate("box => box.scrollWidth > box.clientWidth"):
            faults.append(f"{state}: something leaves the box")
        button = "#stop" if page.locator("#send").is_hidden() else "#send"
        faults += [
            f"{state}: {name} is out of sight" for name in ("#ask", button) if not in_sight(page, name)
        ]
    return faults


def in_sight(page: Page, selector: str) -> bool:
    """Whether all of it is on the screen and nothing is over it."""
    seen: bool = page.locator(selector).evaluate(
        """node => {
          const { left, top, right, bottom } = node.getBoundingClientRect();
          const middle = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
          const isInside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
          return isInside && node.contains(middle);
        }"""
    )
    return seen
