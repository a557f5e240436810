"""axe-core: faults of access that it finds on the open page."""

from pathlib import Path

import axe_core_python
from chromium import Browser

AXE = Path(axe_core_python.__file__).parent / "axe.min.js"


def faults(browser: Browser) -> list[str]:
    """Serious and critical faults: rule, place and reason."""
    browser.script(AXE.read_text(encoding="utf-8"))
    found = browser.slow_script(
        "axe.run({resultTypes: ['violations']}).then(arguments[0])"
    )
    return [
        f"{fault['id']} at {node['target']}: {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
