// Shows the state of the address, and listens to keys.
"use strict";

{
  const { element } = explorer;
  const KEYS = [
    ["/", "search in the list"],
    ["j, k", "next, previous row of the list, or event of the thought"],
    ["Enter", "open the row"],
    ["[, ]", "previous, next thought"],
    ["1 to 9", "views of a thought"],
    ["u", "back to the list"],
    ["?", "this help"],
  ];

  /** Show what the address says. */
  explorer.show = async function () {
    const main = document.getElementById("main");
    const state = explorer.parse(location.hash);
    explorer.tip("");
    try {
      const { studies } = await explorer.index();
      document.getElementById("where").textContent = studies.length === 1 ? studies[0].name : `${studies.length} studies`;
      if (state.page === "thought") await explorer.showThoughts(main, state.panes);
      else { explorer.endThoughts(); await explorer.showList(main, state.query); }
      document.body.dataset.shown = location.hash || "#/list";
    } catch (error) {
      explorer.endThoughts();
      main.replaceChildren(element("p.error", { role: "alert" }, error.message), element("p", null, element("a", { href: "#/list" }, "all thoughts")));
    }
  };

  function stepEvent(step) {
    const pane = explorer.pane();
    const events = (pane.thought.events || []).filter((event) => event.kind !== "control");
    if (!events.length) return;
    const place = events.findIndex((event) => event.event === pane.state.event);
    const next = place < 0 ? (step > 0 ? 0 : events.length - 1) : place + step;
    if (events[next]) pane.change({ event: events[next].event });
  }

  function toggleHelp() {
    const help = document.getElementById("help");
    help.hidden = !help.hidden;
    document.getElementById("help-button").setAttribute("aria-expanded", String(!help.hidden));
  }

  function onKey(press) {
    if (press.ctrlKey || press.metaKey || press.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(press.target.tagName)) {
      if (press.key === "Escape") press.target.blur();
      return;
    }
    const pane = explorer.pane();
    const step = { j: 1, k: -1 }[press.key];
    if (press.key === "?") toggleHelp();
    else if (press.key === "/" && !pane) { press.preventDefault(); explorer.focusSearch(); }
    else if (step && pane) stepEvent(step);
    else if (step) explorer.chooseRow(step);
    else if (press.key === "Enter" && !pane && !press.target.closest("a, button")) explorer.openRow();
    else if (pane && (press.key === "[" || press.key === "]")) explorer.step(press.key === "]" ? 1 : -1);
    else if (pane && press.key === "u") explorer.go(explorer.lastList || "#/list");
    else if (pane && /^[1-9]$/.test(press.key)) pane.node.querySelectorAll('[role="tab"]')[Number(press.key) - 1]?.click();
  }

  document.getElementById("help").append(
    element("dl", null, KEYS.map(([key, what]) => [element("dt", null, element("kbd", null, key)), element("dd", null, what)])),
  );
  document.getElementById("help-button").addEventListener("click", toggleHelp);
  addEventListener("hashchange", explorer.show);
  addEventListener("keydown", onKey);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { explorer.endThoughts(); explorer.show(); });
  explorer.show();
}
