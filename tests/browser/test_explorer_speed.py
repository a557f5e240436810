"""How fast the explorer is. The bounds are loose: a busy machine must not fail here.

`docs/explorer.md` names what was measured on an idle one.
"""

import time

FIRST = "#/thought/first~%3Cb%3Eset%3C~b%3E/"
SCROLL = """
const done = arguments[0], box = document.querySelector('.text');
const start = performance.now(); let frames = 0;
function frame(now) {
  frames += 1; box.scrollTop += 60;
  if (now - start < 3000) requestAnimationFrame(frame);
  else done(1000 * frames / (now - start));
}
requestAnimationFrame(frame);
"""


def measured(browser, made_up):
    """Seconds of list and long thought, frames a second, bytes of the page's heap."""
    start = time.monotonic()
    browser.open(made_up / "index.html")
    listed = time.monotonic() - start
    start = time.monotonic()
    browser.go(FIRST + "00001~0")
    opened = time.monotonic() - start
    frames = browser.slow_script(SCROLL)
    memory = browser.driver.execute_cdp_cmd("Runtime.getHeapUsage", {})
    return listed, opened, frames, memory["usedSize"] + memory["embedderHeapUsedSize"]


def test_speed_and_memory(browser, made_up, record_property, capsys):
    listed, opened, frames, memory = measured(browser, made_up)
    with capsys.disabled():
        print(
            f"\nexplorer: list {listed:.2f} s, long thought {opened:.2f} s, "
            f"{frames:.0f} frames/s, {memory / 1e6:.0f} MB"
        )
    assert listed < 5
    assert opened < 5
    assert frames > 20
    assert memory < 300e6
