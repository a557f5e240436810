"""Drives Debian's Chromium: opens pages, waits for them, reads console and requests."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--no-first-run",
)
PATIENCE = 10  # seconds


class Browser:
    """A running browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        """Take a driver whose browser has just started."""
        self.driver = driver
        self.allowed: tuple[str, ...] = ("data:", "about:", "chrome:")
        """How the addresses may begin that a page may ask for."""
        self._requests: list[str] = []

    def open(self, page: Path | str, state: str = "", waits: bool = True) -> None:
        """Open a page, and wait until it shows a state if it has any."""
        address = page.as_uri() if isinstance(page, Path) else page
        self.allowed += (address.rpartition("/")[0] + "/",)
        self.driver.get("about:blank")
        self.driver.get(address + state)
        if waits:
            self.wait(lambda: self.script("return document.body.dataset.shown"))

    def go(self, state: str) -> None:
        """Go to another state of the page, as by a link."""
        self.script("location.hash = arguments[0]", state)
        self.wait_for(state)

    def wait_for(self, state: str) -> None:
        """Wait until the page shows a state."""
        self.wait(lambda: self.script("return document.body.dataset.shown") == state)

    def wait(self, done: Callable[[], Any]) -> None:
        """Wait until something is true.

        Raises:
            TimeoutError: it did not become true.
        """
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(self.text("body")[:2000])
            time.sleep(0.02)

    def script(self, script: str, *arguments: object) -> Any:
        """Run JavaScript and return its result."""
        return self.driver.execute_script(script, *arguments)

    def slow_script(self, script: str) -> Any:
        """Run JavaScript that calls its last argument with the result."""
        self.driver.set_script_timeout(60)
        return self.driver.execute_async_script(script)

    def all(self, selector: str) -> list[WebElement]:
        """Elements by CSS selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """The first element of a CSS selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Text of the first element."""
        return str(self.one(selector).get_property("textContent"))

    def click(self, selector: str) -> None:
        """Click on the first element."""
        self.one(selector).click()

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.one("body").send_keys(Keys.ENTER if key == "Enter" else key)

    def size(self, width: int, height: int) -> None:
        """Make the viewport this large."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        command = "Emulation.setDeviceMetricsOverride"
        self.driver.execute_cdp_cmd(command, size | {"mobile": False})

    def dark(self) -> None:
        """Wish for a dark page."""
        wish = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", wish)

    def errors(self) -> list[str]:
        """Errors and warnings on the console."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    def requests(self) -> list[str]:
        """Addresses of all requests so far."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._requests.append(message["params"]["request"]["url"])
        return self._requests

    def quit(self) -> None:
        """End the browser."""
        self.driver.quit()


def start() -> Browser:
    """Start a browser with a fresh profile."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ARGUMENTS:
        options.add_argument(argument)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    service = Service("/usr/bin/chromedriver")
    return Browser(webdriver.Chrome(options=options, service=service))
