// The list of all thoughts: search, filters, order. Only rows in sight are on the page.
"use strict";

{
  const { element, number, percent, visible, yes } = explorer;
  const ROW = 34; // pixels
  const MARGIN = 12; // rows

  const COLUMNS = [
    ["study", "study", (row) => row.study],
    ["trace", "thought", (row) => row.trace],
    ["question", "question", (row) => row.question],
    ["correct", "right", (row) => row.correct],
    ["answer", "answer", (row) => row.answer],
    ["tokens", "tokens", (row) => row.tokens],
    ["arrivals", "arrivals", (row) => row.arrivals],
    ["backtracks", "turns", (row) => row.backtracks],
    ["first_right", "first arrival", (row) => row.first_right],
    ["first_logprob", "sure at exit 1", (row) => row.first_logprob],
  ];

  const CHOICES = {
    outcome: {
      label: "outcome",
      options: {
        right: (row) => row.correct,
        wrong: (row) => !row.correct,
        mended: (row) => row.correct && row.first_right === false,
        spoiled: (row) => !row.correct && row.ever_right === true,
        "never closed": (row) => !row.closed,
      },
    },
    first: {
      label: "first arrival",
      options: {
        right: (row) => row.first_right === true,
        wrong: (row) => row.first_right === false,
        none: (row) => !row.arrivals,
      },
    },
    cue: {
      label: "kind of cue",
      options: Object.fromEntries(["check", "doubt", "alternative", "reread"].map((kind) => [kind, (row) => row.cues?.includes(kind)])),
    },
  };
  const RANGES = [["arrivals", "arrivals"], ["backtracks", "turns"], ["tokens", "tokens"], ["sure", "sure at exit 1, %"]];

  /** What the list shows of the studies: without exits nothing is known of the first one. */
  async function shownParts() {
    const { studies } = await explorer.index();
    const sure = studies.filter((study) => study.views.includes("exits")).length;
    const note = sure < studies.length ? ` (in ${sure} of ${studies.length} studies)` : "";
    return {
      columns: COLUMNS.filter(([name]) => (name === "study" ? studies.length > 1 : sure || name !== "first_logprob")),
      ranges: RANGES.filter(([name]) => sure || name !== "sure").map(([name, label]) => [name, name === "sure" ? label + note : label]),
    };
  }

  let rows = null;
  let shown = [];
  let chosen = 0;
  let view = null;

  async function allRows() {
    if (rows) return rows;
    const { studies } = await explorer.index();
    const lists = await Promise.all(studies.map((_, k) => explorer.list(k)));
    rows = lists.flatMap((list, k) => {
      const names = Object.keys(list.columns);
      return list.columns.trace.map((_, place) => {
        const row = Object.fromEntries(names.map((name) => [name, list.columns[name][place]]));
        row.study = studies[k].name;
        row.question = list.questions[row.problem] ?? "";
        row.found = `${row.trace} ${row.question} ${row.answer ?? ""}`.toLowerCase();
        return row;
      });
    });
    return rows;
  }

  function filtered(every, query, { columns, ranges }) {
    const asked = (query.get("q") || "").toLowerCase().matchAll(/"([^"]+)"?|[^\s"]+/g);
    const words = [...asked].map(([word, phrase]) => phrase ?? word);
    const tests = [];
    if (query.get("study")) tests.push((row) => row.study === query.get("study"));
    for (const [name, { options }] of Object.entries(CHOICES)) {
      const test = options[query.get(name)];
      if (test) tests.push(test);
    }
    for (const [name] of ranges) {
      const value = name === "sure" ? (row) => (row.first_logprob === null ? NaN : 100 * Math.exp(row.first_logprob)) : (row) => row[name];
      const low = query.get(`${name}-min`), high = query.get(`${name}-max`);
      if (low) tests.push((row) => value(row) >= Number(low));
      if (high) tests.push((row) => value(row) <= Number(high));
    }
    const kept = every.filter((row) => words.every((word) => row.found.includes(word)) && tests.every((test) => test(row)));
    const [name, down] = (query.get("sort") || "").split(":");
    const column = columns.find(([key]) => key === name);
    if (!column) return kept;
    const [, , value] = column;
    const sign = down === "down" ? -1 : 1;
    return kept
      .map((row, k) => [value(row), k, row])
      .sort(([a, i], [b, j]) => {
        if (a === null || a === undefined) return b === null || b === undefined ? i - j : 1;
        if (b === null || b === undefined) return -1;
        return a < b ? -sign : a > b ? sign : i - j;
      })
      .map(([, , row]) => row);
  }

  const addressOf = (row) =>
    explorer.thoughtAddress([...(explorer.beside ? [explorer.beside] : []), { study: row.study, trace: row.trace, event: null, view: explorer.parse(explorer.lastList || "").query?.get("view") || "" }]);

  function rowNode(row, k) {
    const cells = {
      study: row.study,
      trace: element("a", { href: addressOf(row), onclick: () => { explorer.beside = null; } }, row.trace),
      question: element("span.cut", { dir: "auto" }, visible(row.question)),
      correct: element(`span.${row.correct ? "good" : "bad"}`, null, row.correct ? "right" : "wrong"),
      answer: visible(row.answer ?? "none"),
      tokens: number(row.tokens),
      arrivals: number(row.arrivals),
      backtracks: number(row.backtracks),
      first_right: row.first_right === null ? "–" : row.first_right ? "right" : "wrong",
      first_logprob: percent(explorer.probability(row.first_logprob)),
    };
    return element(
      "tr",
      { "aria-rowindex": k + 2, class: k === chosen ? "chosen" : null, "data-row": k },
      view.columns.map(([name]) => element(`td.${name}`, null, cells[name])),
    );
  }

  function draw() {
    const { box, body } = view;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - MARGIN);
    const last = Math.min(shown.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + MARGIN);
    const space = (count) => element("tr.space", { "aria-hidden": "true" }, element("td", { colspan: view.columns.length, style: { height: `${count * ROW}px` } }));
    body.replaceChildren(space(first), ...shown.slice(first, last).map((row, k) => rowNode(row, first + k)), space(shown.length - last));
  }

  function choose(place) {
    chosen = Math.max(0, Math.min(shown.length - 1, place));
    const { box } = view;
    const top = chosen * ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + 2 * ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + 2 * ROW - box.clientHeight;
    draw();
  }
  explorer.chooseRow = (step) => view && choose(chosen + step);
  explorer.openRow = () => { if (shown[chosen]) { explorer.go(addressOf(shown[chosen])); explorer.beside = null; } };
  explorer.focusSearch = () => view?.search.focus();

  function controls(query, studies, ranges, change) {
    const select = (name, label, options) =>
      element("label", null, `${label} `, element("select", { name, onchange: (event) => change(name, event.target.value) },
        element("option", { value: "" }, "all"), options.map((option) => element("option", { value: option, selected: query.get(name) === option }, option))));
    const bound = (name, end, label) =>
      element("input", { type: "number", "aria-label": `${label} ${end === "min" ? "at least" : "at most"}`, placeholder: end, value: query.get(`${name}-${end}`) || null, onchange: (event) => change(`${name}-${end}`, event.target.value) });
    const search = element("input", { type: "search", placeholder: "words or a \"phrase\" of the question, id, answer", "aria-label": "search", value: query.get("q") || null, oninput: (event) => change("q", event.target.value) });
    return {
      search,
      node: element(
        "form.filters",
        { onsubmit: (event) => event.preventDefault(), role: "search" },
        search,
        studies.length > 1 ? select("study", "study", studies.map((study) => study.name)) : null,
        Object.entries(CHOICES).map(([name, { label, options }]) => select(name, label, Object.keys(options))),
        ranges.map(([name, label]) => element("span.range", { role: "group", "aria-label": label }, `${label} `, bound(name, "min", label), "–", bound(name, "max", label))),
        element("button", { type: "button", onclick: () => { explorer.go("#/list"); view = null; explorer.show(); } }, "clear"),
      ),
    };
  }

  function head(query, columns, change) {
    const [name, down] = (query.get("sort") || "").split(":");
    return element("tr", { "aria-rowindex": 1 }, columns.map(([key, label]) =>
      element("th", { scope: "col", class: key, "aria-sort": key === name ? (down === "down" ? "descending" : "ascending") : null },
        element("button", { type: "button", onclick: () => change("sort", key === name && down !== "down" ? `${key}:down` : key) }, label, key === name ? (down === "down" ? " ▼" : " ▲") : ""))));
  }

  /** Show the list that a query asks for. */
  explorer.showList = async function (main, query) {
    const every = await allRows();
    const { studies } = await explorer.index();
    const known = await shownParts();
    const change = (name, value) => {
      const next = new URLSearchParams(explorer.parse(location.hash).query);
      if (value) next.set(name, value); else next.delete(name);
      explorer.go(explorer.listAddress(next), true);
    };
    explorer.lastList = explorer.listAddress(query);
    document.title = "Thoughts · doubletake explorer";
    if (!view || !main.contains(view.box)) {
      const { node, search } = controls(query, studies, known.ranges, change);
      const body = element("tbody");
      const top = element("thead");
      const table = element("table.list", null, element("caption.hidden", null, "thoughts"), top, body);
      const box = element("div.list-box", { tabindex: "0", role: "region", "aria-label": "thoughts", onscroll: () => requestAnimationFrame(draw) }, table);
      const count = element("p.count", { role: "status" });
      const beside = element("p.beside");
      main.replaceChildren(node, beside, count, box);
      view = { box, body, top, table, count, search, beside, columns: known.columns };
      box.addEventListener("click", (event) => {
        const row = event.target.closest("tr[data-row]");
        if (row && !event.target.closest("a")) { chosen = Number(row.dataset.row); explorer.openRow(); }
      });
      new ResizeObserver(() => view && main.contains(view.box) && draw()).observe(box);
    }
    shown = filtered(every, query, known);
    chosen = Math.min(chosen, Math.max(0, shown.length - 1));
    view.top.replaceChildren(head(query, known.columns, change));
    view.table.setAttribute("aria-rowcount", shown.length + 1);
    view.count.textContent = `${number(shown.length)} of ${number(every.length)} thoughts`;
    view.beside.replaceChildren(...(explorer.beside ? [`Choose a thought to stand beside ${explorer.beside.trace}. `, element("button", { type: "button", onclick: () => { explorer.beside = null; explorer.show(); } }, "do not compare")] : []));
    draw();
  };
}
