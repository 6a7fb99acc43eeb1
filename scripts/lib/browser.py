"""A real browser (Debian's chromium) on the pages of a coordinator, and what every page has to be."""

import os
import socket
import threading
import time

from axe_playwright_python.sync_playwright import Axe

PASSWORD = "correct horse battery"
WIDTHS = (375, 768, 1280)
SCHEMES = ("light", "dark")
# Shown as text wherever it is typed. It would call `alert`, which the flow takes as a failure.
HOSTILE = "<img src=x onerror=alert(1)>\"'`</textarea></script><svg onload=alert(2)>{{constructor}}\u202ejs"

WATCH = """
addEventListener('securitypolicyviolation', event => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));
"""


class Session:
    """One person in one browser profile."""

    def __init__(self, browser, url, folder=None, script=True, phone=False):
        self.url, self.folder = url, folder
        self.noise = []
        self.context = browser.new_context(
            viewport={"width": 375, "height": 720} if phone else {"width": 1280, "height": 800},
            java_script_enabled=script, has_touch=phone, is_mobile=phone)
        self.context.set_default_timeout(60_000)
        if script:
            self.context.add_init_script(WATCH)
        self.page = self.open()

    def open(self):
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.noise.append(f"error on {page.url}: {error}"))
        page.on("console", lambda line: self.hear(page, line))
        page.on("dialog", lambda dialog: self.alarm(page, dialog))
        return page

    def hear(self, page, line):
        # The sites themselves may print what they like.
        if line.type == "error" and (line.location.get("url", "") or self.url).startswith(self.url):
            self.noise.append(f"console on {page.url}: {line.text}")

    def alarm(self, page, dialog):
        if dialog.type != "beforeunload":
            self.noise.append(f"a hostile text ran on {page.url}: {dialog.message}")
        dialog.dismiss()

    def quiet(self, *expected):
        """Nothing was reported but what a test provoked."""
        rest = [line for line in self.noise if not any(word in line for word in expected)]
        assert not rest, rest
        self.noise.clear()

    def goto(self, path):
        self.page.goto(self.url + path)
        return self.page

    def register(self, name, email):
        page = self.goto("/register")
        page.get_by_label("Your name").fill(name)
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make my account").click()
        page.wait_for_url("**/sites")

    def log_in(self, email):
        page = self.page
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()

    def picture(self, name, scheme="light", width=1280):
        if self.folder:
            # What loads only when it is seen is seen.
            lazy = self.page.locator("iframe[loading=lazy]")
            if lazy.count():
                lazy.evaluate_all("frames => { for (const frame of frames) frame.loading = 'eager'; }")
                self.page.wait_for_timeout(1500)
            self.page.screenshot(path=f"{self.folder}/{name}-{width}-{scheme}.png", full_page=True)

    def inspect(self, name, settle=0):
        """No barrier and no sideways scrolling, in light and dark at every width."""
        page = self.page
        if settle:
            page.wait_for_timeout(settle)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                self.picture(name, scheme, width)
                overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert overflow <= 0, f"{name} is {overflow} pixels too wide at {width}"
                result = Axe().run(page, context={"exclude": [["iframe"]]})
                found = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in result.response["violations"]]
                assert not found, f"{name} at {width} in {scheme}: {found}"
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 800})

    def fits_thumbs(self, name):
        """Nothing is wider than the screen, and whatever can be pressed is as high as a thumb is wide."""
        overflow = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{name} is {overflow} pixels too wide"
        small = self.page.evaluate("""[...document.querySelectorAll('button, .button, select, input:not([type=hidden])')]
            .filter(one => !one.closest('copy-text') && !/^(checkbox|radio|range)$/.test(one.type))
            .map(one => [one.textContent.trim().slice(0, 40) || one.name, one.getBoundingClientRect()])
            .filter(([, box]) => box.width > 1 && box.height > 1 && box.height < 43.5).map(([text, box]) => `${text}: ${box.height}`)""")
        assert not small, f"too small for a thumb on {name}: {small}"

    def looked_at(self):
        """Waits on the sheet for promoting until the worker's own browser is done. The sheet says so itself; nobody reloads it."""
        self.page.locator("input[name=unchecked]").wait_for(state="detached", timeout=180_000)

    def close(self):
        self.context.close()


class Keyboard:
    """Somebody who has no mouse: goes by Tab, and does what a page allows by keys."""

    def __init__(self, page):
        self.page = page

    def to(self, selector, limit=120):
        """Presses Tab until an element that matches has the focus."""
        for _ in range(limit):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
                # What has the focus shows it.
                shown = self.page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
                assert shown, f"{selector} does not show that it has the focus"
                return
        raise AssertionError(f"{selector} cannot be reached by Tab on {self.page.url}")

    def type(self, selector, text):
        self.to(selector)
        self.page.keyboard.type(text)

    def press(self, selector, key="Enter"):
        self.to(selector)
        self.page.keyboard.press(key)


class Wire:
    """A way to the coordinator that can be cut."""

    def __init__(self, target):
        host, port = target.split("//")[1].split(":")
        self.target = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.is_cut = False
        self.delay = 0  # seconds for each piece that comes back
        self.pairs = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            with self.lock:
                self.pairs.append((near, far))
            for source, sink, is_answer in ((near, far, False), (far, near, True)):
                threading.Thread(target=self.copy, args=(source, sink, is_answer), daemon=True).start()

    def copy(self, source, sink, is_answer):
        try:
            while data := source.recv(65536):
                until = time.monotonic() + self.delay
                while is_answer and self.delay and time.monotonic() < until:
                    time.sleep(0.05)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.is_cut = True
        with self.lock:
            for pair in self.pairs:
                for end in pair:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            self.pairs.clear()

    def mend(self):
        self.is_cut = False

    def close(self):
        self.cut()
        self.listener.close()


def within(seconds, what, holds):
    """Waits until something is so."""
    deadline = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def folder(path):
    if path:
        os.makedirs(path, exist_ok=True)
    return path
