// A pane that shows one thought: question, strip, text, events, and a view beside it.
"use strict";

{
  const { element, number, visible } = explorer;

  /** Ranks of tokens by score, the largest first. */
  function ranked(scores) {
    const order = scores.map((_, k) => k).sort((a, b) => scores[b] - scores[a] || a - b);
    const rank = new Map(order.map((token, k) => [token, k + 1]));
    return { order, rank, largest: scores[order[0]] || 0 };
  }

  function fact(name, value, kind = "") {
    return element("span.fact", null, element("b", null, `${name} `), kind ? element(`span.${kind}`, null, value) : value);
  }

  class Pane {
    constructor(thought, state, change, number) {
      Object.assign(this, { thought, state, change, panel: `panel-${number}` });
      const promptUnit = explorer.units(thought.prompt);
      this.promptSpan = (k) => [promptUnit(thought.prompt_offsets[k]), promptUnit(thought.prompt_offsets[k + 1] ?? Infinity)];
      this.side = element("div.side");
      this.text = explorer.textNode(thought, {
        tip: (k) => this.tip(k),
        onEvent: (event) => change({ event: event.event }),
        onPlace: (place) => { this.marked = true; change({ choice: String(place) }); },
      });
      this.text.node.addEventListener("token", () => explorer.tip(""));
      this.strip = explorer.strip(thought, (k) => this.text.jump(k));
      this.events = element("nav.events", { "aria-label": "events of the thought" });
      this.node = element("article.pane", { "aria-label": `thought ${thought.trace}` }, this.head(), this.strip?.node, this.events, element("div.columns", null, this.text.node, this.side));
    }

    head() {
      const { thought } = this;
      const count = (kind) => (thought.events || []).filter((event) => event.kind === kind).length;
      return element(
        "header.thought-head",
        null,
        element("h2", null, `${thought.study.name} · ${thought.trace}`),
        element("p.question", { dir: "auto" }, visible(thought.question)),
        element(
          "p.facts",
          null,
          fact("reference", visible(thought.gold)),
          fact("answer", visible(thought.answer ?? "none"), thought.correct ? "good" : "bad"),
          fact("", thought.correct ? "right" : "wrong", thought.correct ? "good" : "bad"),
          fact("tokens", number(thought.offsets.length)),
          fact("arrivals", number(count("arrival"))),
          fact("backtracks", number(count("backtrack"))),
          thought.thought_end === null ? fact("", "never closed", "bad") : null,
          thought.finish === "length" ? fact("", "cut off at the limit", "bad") : null,
        ),
      );
    }

    tip(k) {
      const { thought } = this;
      const first = thought.prompt_offsets.length;
      const logprob = thought.logprobs?.[k];
      const lines = [`token ${first + k} of the trace`];
      if (logprob !== undefined && logprob !== null) lines.push(`probability ${explorer.percent(Math.exp(logprob))} (log-prob ${number(logprob)})`);
      const scores = this.turn?.attribution;
      if (scores && this.state.view === "attribution" && first + k < scores[3].length) {
        const token = first + k;
        lines.push(`score ${number(scores[4][token])}, rank ${this.ranks.rank.get(token)} of ${scores[3].length}`);
        const place = this.turn.profiles?.tokens.indexOf(token) ?? -1;
        lines.push(place >= 0 ? `by layer: ${this.turn.profiles.layers.map((layer) => number(layer[place], 2)).join("  ")}` : "by layer: kept for the highest scores only");
      }
      if (this.view() === "texts") {
        for (const { row, from, to, label } of explorer.edits(thought)) {
          if (from < to && from < (thought.offsets[k + 1] ?? Infinity) && to > thought.offsets[k]) lines.push(`${label} (${row.place})`);
        }
      }
      return lines.join("\n");
    }

    jump(k) { this.text.jump(k); }

    /** Choose a place of the text: its mark, and what the view says of it. */
    choose(place) {
      this.jump(place);
      this.change({ choice: String(place) });
    }

    /** Show a state: the chosen event, the view, the rule. */
    async update(state) {
      const moved = state.event !== this.state.event || !this.shown;
      this.state = state;
      const { thought } = this;
      const chosen = (thought.events || []).find((event) => event.event === state.event) || null;
      this.turn = chosen ? await explorer.turn(thought, chosen.event) : null;
      this.ranks = this.turn?.attribution ? ranked(this.turn.attribution[3]) : null;
      this.list(chosen);
      const view = this.view();
      const places = explorer.places(thought, view);
      this.text.update({ event: chosen?.event ?? null, shade: this.shade(), stops: this.view() === "rules" ? explorer.stops(thought, state.choice) : null, places, edits: view === "texts" ? explorer.edits(thought) : [], chosen: state.choice });
      const target = chosen ? explorer.tokenAt(thought, chosen.start) : places.has(Number(state.choice)) && state.choice ? Number(state.choice) : null;
      if (target !== null && moved) requestAnimationFrame(() => this.jump(target));
      this.showView(view);
      this.shown = true;
    }

    shade() {
      if (this.state.view !== "attribution" || !this.ranks?.largest) return null;
      const [, , , size, signed] = this.turn.attribution;
      const first = this.thought.prompt_offsets.length;
      return (k) => {
        const value = size[first + k];
        if (!value) return null;
        const strength = Math.sqrt(value / this.ranks.largest);
        return strength < 0.12 ? null : { strength: strength.toFixed(3), sign: signed[first + k] < 0 ? "against" : "toward" };
      };
    }

    list(chosen) {
      const { thought, change } = this;
      const shown = (thought.events || []).filter((event) => event.kind !== "control" || event === chosen);
      const selected = new Set((thought.turns || []).filter((turn) => turn.selected).map((turn) => turn.event));
      this.events.replaceChildren(
        ...shown.map((event) =>
          element(
            `button.event.${event.kind}${event.is_gold ? ".right" : ""}`,
            {
              type: "button",
              "aria-pressed": event === chosen ? "true" : "false",
              title: selected.has(event.event) ? "experiments looked at this event" : null,
              onclick: () => change({ event: event === chosen ? null : event.event }),
            },
            explorer.eventName(event) + (selected.has(event.event) ? " •" : ""),
          ),
        ),
      );
    }

    /** Views of the study, by name. */
    known() {
      return Object.entries(explorer.views).filter(([name, view]) => view.always || this.thought.study.views.includes(name));
    }

    /** The name of the view that is shown. */
    view() {
      const names = this.known().map(([name]) => name);
      return names.includes(this.state.view) ? this.state.view : names[0];
    }

    showView(name) {
      const { thought, state, change } = this;
      const { build, turn } = explorer.views[name];
      const tabs = element(
        "div.tabs",
        { role: "tablist", "aria-label": "views" },
        this.known().map(([key, view]) =>
          element("button", { type: "button", role: "tab", "aria-selected": key === name ? "true" : "false", "aria-controls": this.panel, onclick: () => change({ view: key, choice: "" }) }, view.title),
        ),
      );
      const content = turn && state.event === null
        ? element("p.nothing", null, "Choose an event above the text. A dot marks those that the experiments looked at.")
        : build(thought, this, this.turn);
      this.side.replaceChildren(tabs, element("div.panel", { role: "tabpanel", id: this.panel, "aria-label": explorer.views[name].title }, content));
      this.reveal();
    }

    /** Scroll the view to what is chosen; after a click on a mark, the page too. */
    reveal() {
      const panel = this.side.lastElementChild;
      const chosen = panel.querySelector(".chosen");
      if (chosen) panel.scrollTop += chosen.getBoundingClientRect().top - panel.getBoundingClientRect().top - 64;
      if (this.marked) this.side.scrollIntoView({ block: "nearest" });
      this.marked = false;
    }

    end() { this.strip?.end(); this.text.end(); }
  }

  let panes = [];
  let open = "";

  function toolbar(states) {
    const to = (index, step) => {
      const { list, place, study } = panes[index].thought;
      const trace = list.columns.trace[place + step];
      if (trace === undefined) return;
      const next = states.map((state, k) => (k === index ? { ...state, study: study.name, trace, event: null } : state));
      explorer.go(explorer.thoughtAddress(next));
    };
    explorer.step = (step) => panes.length && to(0, step);
    return element(
      "nav.toolbar",
      { "aria-label": "thoughts" },
      element("a.button", { href: explorer.lastList || "#/list" }, "← list"),
      element("button", { type: "button", onclick: () => to(0, -1) }, "previous"),
      element("button", { type: "button", onclick: () => to(0, 1) }, "next"),
      states.length < 2
        ? element("button", { type: "button", onclick: () => { explorer.beside = states[0]; explorer.go(explorer.lastList || "#/list"); explorer.show(); } }, "compare with another")
        : element("button", { type: "button", onclick: () => explorer.go(explorer.thoughtAddress([states[0]])) }, "close the second"),
      element("button", { type: "button", onclick: (click) => navigator.clipboard?.writeText(location.href).then(() => { click.target.textContent = "copied"; }) }, "copy link"),
    );
  }

  /** Show the thoughts of an address. */
  explorer.showThoughts = async function (main, states) {
    const wanted = states.map((state) => `${state.study}\n${state.trace}`).join("\n\n");
    const change = (index) => (changes) =>
      explorer.go(explorer.thoughtAddress(explorer.parse(location.hash).panes.map((state, k) => (k === index ? { ...state, ...changes } : state))));
    if (wanted !== open || !main.contains(panes[0]?.node ?? null)) {
      const thoughts = await Promise.all(states.map((state) => explorer.thought(state.study, state.trace)));
      const missing = thoughts.findIndex((thought) => thought === null);
      if (missing >= 0) throw new Error(`There is no thought ${states[missing].trace} in study ${states[missing].study}.`);
      explorer.endThoughts();
      panes = thoughts.map((thought, k) => new Pane(thought, states[k], change(k), k));
      open = wanted;
      main.replaceChildren(toolbar(states), element(`div.panes.of-${panes.length}`, null, panes.map((pane) => pane.node)));
      document.title = `${states.map((state) => state.trace).join(" and ")} · doubletake explorer`;
    }
    await Promise.all(panes.map((pane, k) => pane.update(states[k])));
  };

  /** The pane that keys act on. */
  explorer.pane = () => panes[0] || null;

  /** Leave the thoughts. */
  explorer.endThoughts = function () {
    for (const pane of panes) pane.end();
    panes = [];
    open = "";
  };
}
