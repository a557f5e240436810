// The view of texts that were decoded with a change, and of boundaries written again.
"use strict";

{
  const { element, meanings, nothing, number, percent, sheet, visible, yes } = explorer;
  const SHOWN = 240; // characters of a shared beginning
  const OPENED = 3; // texts that a mark opens; of more it opens the first

  const button = (label, onclick) => element("button", { type: "button", onclick }, label);
  const quiet = (text) => (text ? element("span.nothing", null, visible(text)) : null);

  /** The end of a text, from a whole word on. */
  const tail = (text, most) => (text.length > most ? `… ${text.slice(-most).replace(/^\S*\s/, "")}` : text);

  /** A text from where it parts from another one: its first other word begins with a mark. */
  function parted(text, other) {
    if (text === other) return [quiet(tail(text, SHOWN)), element("em.nothing", null, " (all of it as in the thought)")];
    const n = explorer.parting(text, other);
    const shared = tail(text.slice(0, n), SHOWN);
    if (n === text.length) return [quiet(shared), element("em.nothing", null, " (it ends here, the thought goes on)")];
    const [first] = text.slice(n).match(/^\s*\S?/u);
    return [quiet(shared), element("mark", null, visible(first)), visible(text.slice(n + first.length))];
  }

  /** The sentence that an edit changes, with what was there and what is there now. */
  function changedSentence(thought, row) {
    const { text, unit } = thought;
    const piece = (from, to) => text.slice(unit(from), unit(to));
    const { first, last } = row.old === row.new ? { first: 0, last: 0 } : explorer.changedWords(row.old, row.new);
    const old = row.old.slice(first, row.old.length - last);
    const fresh = row.new.slice(first, row.new.length - last);
    const same = row.old === row.new;
    return [
      visible(piece(row.sentence, row.start) + row.new.slice(0, first)),
      same ? visible(fresh) : [old.trim() ? element("del", null, visible(old)) : null, old.trim() && fresh ? " " : "", fresh ? element("mark", null, visible(fresh)) : null],
      visible(row.new.slice(row.new.length - last) + piece(row.end, row.cut)),
      row.appended ? [/\s$/.test(piece(row.end, row.cut)) ? "" : " ", element("mark", null, visible(row.appended))] : null,
    ];
  }

  /** Free runs after an injection: their texts are not kept, but where they part is. */
  function runsSheet(thought, runs) {
    const names = ["direction", "boundary", "strength", "mode", "draw", "first_different", "turned"];
    return sheet(
      "Free runs from here",
      ["direction", "boundary", "strength", "added", "draw", "differs at", "turns back"],
      runs.map((row) => [row.direction, number(row.boundary), number(row.strength), row.mode ?? "–", number(row.draw), number(row.first_different), yes(row.turned)]),
      meanings(thought, "free_runs", names),
    );
  }

  /** What a text says, after the part of the thought that it shares. */
  function body(thought, one) {
    const { row } = one;
    if (one.runs) return [runsSheet(thought, one.runs)];
    if (one.edit) {
      return [
        element("p", { dir: "auto" }, changedSentence(thought, one.edit)),
        element("p", { dir: "auto" }, element("b", null, "goes on: "), row.following ? visible(row.following) : element("em.nothing", null, "the thought ends here")),
      ];
    }
    if (row.action === "vote") return [visible(row.text)];
    const start = thought.unit(one.start ? thought.offsets[one.start] ?? Infinity : 0);
    const end = start === Infinity ? thought.text.length : start;
    return [one.kind === "from" ? quiet(tail(thought.text.slice(0, end), SHOWN / 2)) : null, parted(row.text ?? row.following, thought.text.slice(end))];
  }

  function outcome(row) {
    const parts = [];
    if ("answer" in row) parts.push(`answer ${visible(row.answer ?? "none")}`);
    if (row.correct !== null && row.correct !== undefined) parts.push(row.correct ? "right" : "wrong");
    if (row.tokens !== undefined) parts.push(`${number(row.tokens)} tokens`);
    return parts.length ? ` – ${parts.join(", ")}` : "";
  }

  /** A text, folded; its content is made when it opens. */
  function folded(thought, one, pane) {
    const text = element("div.other-text", { dir: "auto" });
    const fill = () => { if (!text.hasChildNodes()) text.append(...body(thought, one).flat(Infinity).filter((node) => node !== null)); };
    const chosen = String(one.place) === pane.state.choice;
    const node = element(
      "details.other",
      { "data-place": one.place, class: chosen ? "other chosen" : "other", ontoggle: () => node.open && fill() },
      element("summary", null, `${one.name}: ${one.label}${one.more}${outcome(one.row)}`),
      one.kind === "parts" && one.place !== null ? element("p", null, button(`parts at token ${number(one.place)}`, () => pane.choose(one.place))) : null,
      text,
    );
    node.fill = fill;
    return node;
  }

  function heading(thought, place, pane) {
    const { offsets, text, unit } = thought;
    const end = place < offsets.length ? unit(offsets[place]) : text.length;
    const before = tail(text.slice(0, end).trimEnd().split("\n").at(-1), 60);
    return element("h3", { dir: "auto", "data-place": place }, place ? `after “${visible(before)}” ` : "from the beginning ", button("show", () => pane.choose(place)));
  }

  function editsSheet(thought, pane) {
    if (!thought.edits?.length) return null;
    return sheet(
      "Changes that were made in this thought",
      ["place", "kind", "was", "became", "added after the sentence", ""],
      explorer.edits(thought).map(({ row, place }) => [
        row.place, row.kind, visible(row.old || "–"), visible(row.new || "–"), visible(row.appended || "–"),
        button("show", () => pane.choose(place)),
      ]),
      meanings(thought, "edits", ["place", "kind", "old", "new", "appended"]),
    );
  }

  /** Texts that were decoded with a change, each folded, by the place that they leave the thought. */
  explorer.textsView = function (thought, pane) {
    const found = explorer.others(thought);
    if (!found.length && !thought.edits?.length) return nothing("Not measured: nothing was decoded again from this thought.");
    const at = found.filter((one) => one.kind !== "parts");
    const places = [...new Set(at.map((one) => one.place))].sort((a, b) => a - b);
    const whole = found.filter((one) => one.kind === "parts");
    const nodes = [
      element("p", null, `${number(found.length)} texts that the model wrote with a change, or with other random numbers. In the thought: `,
        element("span.edited", null, "changed"), " characters, ", element("span.place.edit", { "aria-hidden": "true" }), " a change, ",
        element("span.place.from", { "aria-hidden": "true" }), " continued from here, ", element("span.place.parts", { "aria-hidden": "true" }),
        " a text that was written from the beginning parts here. A click on a mark opens its texts."),
      ...places.flatMap((place) => [heading(thought, place, pane), ...at.filter((one) => one.place === place).map((one) => folded(thought, one, pane))]),
      whole.length ? element("h3", null, "Written from the beginning") : null,
      ...whole.map((one) => folded(thought, one, pane)),
      editsSheet(thought, pane),
    ];
    const chosen = nodes.filter((node) => node?.classList.contains("chosen"));
    for (const node of chosen.slice(0, chosen.length > OPENED ? 1 : OPENED)) { node.fill(); node.open = true; }
    return nodes;
  };

  /** Boundaries from which the thought was written again, and what it wrote. */
  explorer.resamplesView = function (thought, pane) {
    if (!thought.boundaries?.length) return nothing("Not measured: no boundary of this thought was drawn for resampling.");
    const first = thought.prompt_offsets.length;
    const { choice, event } = pane.state;
    const place = (row) => row.position + 1 - first;
    const chosen = thought.boundaries.filter((row) => (choice ? String(place(row)) === choice : row.event !== null && row.event === event));
    const shown = new Set((chosen.length ? chosen : thought.boundaries).map((row) => row.position));
    return [
      element("p", null, "The thought was cut before a sentence and written again with other random numbers. ",
        element("span.place.from", { "aria-hidden": "true" }), " marks these places in the text. A click on a mark shows its draws."),
      sheet(
        "Boundaries",
        ["kind", "turned here", "draws", "turn back", "rate", "interval", "mass of backtrack words", "probe", ""],
        thought.boundaries.map((row) => ({
          attributes: chosen.includes(row) ? { class: "chosen" } : null,
          cells: [
            row.kind, yes(row.turned), number(row.draws), number(row.turns), percent(row.rate),
            row.low === null ? "–" : `${percent(row.low)} to ${percent(row.high)}`, percent(row.mass), number(row.probe),
            button("show", () => pane.choose(place(row))),
          ],
        })),
        meanings(thought, "boundaries", ["kind", "turned", "draws", "turns", "rate", "low", "mass", "probe"]),
      ),
      ...(thought.draws || []).filter((row) => shown.has(row.position)).map((row) =>
        element("div.draw", { dir: "auto" }, element(`b.${row.turns ? "bad" : "good"}`, null, row.turns ? "turns " : "goes on "), visible(row.text), row.ended ? "" : " …")),
    ];
  };
}
