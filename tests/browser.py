# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium that reports what a page did, over the DevTools protocol's pipe: the page itself is left as it is."""

import json
import os
import shutil
import subprocess
import time

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--remote-debugging-pipe")
PAGE = """({tables: [...document.querySelectorAll('table')].map(t => [t.rows.length, t.offsetWidth, t.offsetHeight]),
images: [...document.images].map(i => [i.complete, i.naturalWidth, i.naturalHeight, i.offsetWidth]),
width: document.documentElement.scrollWidth,
sideways: [...document.querySelectorAll("main *")]
  .filter(e => ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.className + ' ' + e.scrollWidth), background: getComputedStyle(document.body).backgroundColor})"""


def chromium():
    """Path of the browser, None if it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """Use as a context manager; ``open`` loads a page. profile: folder for the browser's files."""

    def __init__(self, profile):
        self.profile, self.number, self.events, self.buffer = profile, 0, [], b""

    def __enter__(self):
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()

        def place():
            # The browser reads from descriptor 3 and writes to 4. First out of the way of each other.
            ours, theirs = os.dup(to_browser), os.dup(from_browser)
            os.dup2(ours, 3)
            os.dup2(theirs, 4)
        command = [chromium(), *FLAGS, f"--user-data-dir={self.profile}", "about:blank"]
        # Chromium wants a home that it can write.
        self.process = subprocess.Popen(command, preexec_fn=place, env=os.environ | {"HOME": str(self.profile)},
                                        close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.read)
        os.close(self.write)

    def call(self, method, session=None, **parameters):
        """Result of a command; events that come before it are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def _receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.read, 1 << 16)
            assert part, "Chromium ended"
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def open(self, url, width=1100, dark=False):
        """Load a page and look at it.

        Returns:
            dict ``requests`` (addresses but data and the page itself), ``errors`` (console, log, exceptions), and of ``PAGE``.
        """
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Network", "Runtime", "Log", "Page"):
            self.call(f"{domain}.enable", session)
        self.call("Emulation.setDeviceMetricsOverride", session, width=width, height=900, deviceScaleFactor=1,
                  mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", session, features=[scheme])
        self.events.clear()
        self.call("Page.navigate", session, url=url)
        end = time.monotonic() + 20
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            assert time.monotonic() < end, "the page does not load"
            self.events.append(self._receive())
        found = self.call("Runtime.evaluate", session, expression=PAGE, returnByValue=True)["result"]["value"]
        return found | {"requests": self._requests(url), "errors": self._errors()}

    def _requests(self, url):
        addresses = [event["params"]["request"]["url"] for event in self.events
                     if event["method"] == "Network.requestWillBeSent"]
        return [address for address in addresses if address != url and not address.startswith("data:")]

    def _errors(self):
        bad = ("Runtime.exceptionThrown", "Log.entryAdded")
        said = [event for event in self.events if event["method"] == "Runtime.consoleAPICalled"]
        return [event["params"] for event in self.events if event["method"] in bad] + [
            event["params"] for event in said if event["params"]["type"] in ("error", "warning", "assert")]
