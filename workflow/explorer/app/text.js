// The text of a thought: blocks that are filled with tokens while they can be seen.
"use strict";

{
  const { element, visible } = explorer;
  const BLOCK = 600; // characters, about

  /** Character places of a text as the tables count them (code points), for `slice`. */
  explorer.units = function (text) {
    if (!/[\ud800-\udbff]/.test(text)) return (place) => place;
    const places = [];
    let unit = 0;
    for (const sign of text) { places.push(unit); unit += sign.length; }
    places.push(unit);
    return (place) => places[Math.min(place, places.length - 1)];
  };

  /** Cuts between tokens where a block of text ends, best at line breaks. */
  function blocks(thought) {
    const { text, offsets, unit } = thought;
    const starts = [0];
    let size = 0;
    for (let k = 1; k < offsets.length; k += 1) {
      size += offsets[k] - offsets[k - 1];
      const before = text.slice(unit(offsets[k - 1]), unit(offsets[k]));
      if (size >= BLOCK && (before.includes("\n") || size >= 2 * BLOCK)) { starts.push(k); size = 0; }
    }
    return starts;
  }

  /** Marks by token of the completion: kinds of the events that a token belongs to. */
  function marks(thought) {
    const found = new Map();
    for (const event of thought.events || []) {
      const cue = event.kind === "arrival" ? event.end : Math.min(event.end, event.start + Math.max(1, (event.cue || "").length));
      for (let k = tokenAt(thought, event.start); k < thought.offsets.length && thought.offsets[k] < cue; k += 1) {
        if (event.kind !== "control" || !found.has(k)) found.set(k, event);
      }
    }
    return found;
  }

  /** The token of the completion that holds a character. */
  function tokenAt(thought, character) {
    let low = 0, high = thought.offsets.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (thought.offsets[middle] <= character) low = middle; else high = middle - 1;
    }
    while (low > 0 && thought.offsets[low - 1] === thought.offsets[low]) low -= 1;
    return low;
  }
  explorer.tokenAt = tokenAt;

  const NAMES = { arrival: "arrival", backtrack: "backtrack", wrap_up: "wrap-up", control: "control" };

  /** What the page says of an event. */
  explorer.eventName = function (event) {
    const value = event.kind === "arrival" ? ` at ${visible(event.value)}` : event.cue ? ` (${visible(event.cue)})` : "";
    return `${NAMES[event.kind]} ${event.ordinal}${value}`;
  };

  /** The text of a token; characters that edits change are shaded. */
  function edited(thought, k, view, piece) {
    const { offsets, unit } = thought;
    const start = unit(offsets[k]);
    const spans = view.edits
      .map(({ from, to, place }) => ({ from: Math.max(0, unit(from) - start), to: Math.min(piece.length, unit(to) - start), size: to - from, place }))
      .filter(({ from, to }) => from < to);
    if (!spans.length) return visible(piece);
    const cuts = [...new Set([0, piece.length, ...spans.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);
    return cuts.slice(1).map((end, n) => {
      const text = visible(piece.slice(cuts[n], end));
      const [span] = spans.filter(({ from, to }) => from <= cuts[n] && to >= end).sort((a, b) => a.size - b.size);
      return span ? element("span.edited", { "data-place": span.place }, text) : text;
    });
  }

  /** A mark before a token, where the thought was changed or written again. */
  function placeNode(place, view) {
    const mark = view.places.get(place);
    if (!mark) return [];
    const chosen = String(place) === view.chosen;
    return [element(`button.place.${mark.kind}${chosen ? ".chosen" : ""}`, { type: "button", "data-place": place, "aria-label": explorer.markLines(mark).join("; ") })];
  }

  function tokenNode(thought, k, view) {
    const { text, offsets, unit } = thought;
    const end = k + 1 < offsets.length ? offsets[k + 1] : Infinity;
    const piece = end === Infinity ? text.slice(unit(offsets[k])) : text.slice(unit(offsets[k]), unit(end));
    const event = view.marks.get(k);
    const classes = ["t"];
    if (event) classes.push(event.kind, event.kind === "arrival" && event.is_gold ? "right" : "plain");
    if (event && view.event === event.event) classes.push("chosen");
    const [start, stop] = thought.thought;
    if (offsets[k] < start || offsets[k] >= stop) classes.push("outside");
    const node = element(`span.${classes.join(".")}`, { "data-k": k }, edited(thought, k, view, piece));
    const shade = view.shade?.(k);
    if (shade) { node.style.setProperty("--shade", shade.strength); node.classList.add(shade.sign); }
    if (view.stops?.has(k)) node.append(element("span.stop", { title: view.stops.get(k).join(", "), role: "img", "aria-label": `stops: ${view.stops.get(k).join(", ")}` }));
    return node;
  }

  /** The text of a thought as a node with `update`, `jump`, and `fill` of blocks in sight. */
  explorer.textNode = function (thought, { tip, onEvent, onPlace }) {
    thought.unit = explorer.units(thought.text);
    const starts = blocks(thought);
    const view = { marks: marks(thought), event: null, shade: null, stops: null, places: new Map(), edits: [], chosen: "" };
    const box = element("div.text", { tabindex: "0", role: "region", "aria-label": "thought and answer" });
    const nodes = starts.map((start, n) => {
      const end = n + 1 < starts.length ? starts[n + 1] : thought.offsets.length;
      const last = end < thought.offsets.length ? thought.unit(thought.offsets[end]) : thought.text.length;
      const plain = visible(thought.text.slice(thought.unit(thought.offsets[start]), last));
      const node = element("div.block", { dir: "auto", "data-n": n }, plain);
      return { node, start, end, plain, filled: false };
    });
    const fill = (block) => {
      const tokens = [];
      for (let k = block.start; k < block.end; k += 1) tokens.push(...placeNode(k, view), tokenNode(thought, k, view));
      if (block.end === thought.offsets.length) tokens.push(...placeNode(block.end, view));
      block.node.replaceChildren(...tokens);
      block.filled = true;
    };
    const empty = (block) => { block.node.replaceChildren(block.plain); block.filled = false; };
    const watcher = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          const block = nodes[Number(entry.target.dataset.n)];
          if (entry.isIntersecting && !block.filled) fill(block);
          else if (!entry.isIntersecting && block.filled) empty(block);
        }
      },
      { root: box, rootMargin: "600px" },
    );
    box.append(...nodes.map((block) => block.node));
    for (const block of nodes) watcher.observe(block.node);
    const tokenOf = (target) => {
      const node = target.closest?.("[data-k]");
      return node && box.contains(node) ? Number(node.dataset.k) : null;
    };
    const placeOf = (target) => target.closest?.("[data-place]")?.dataset.place;
    const said = (target) => {
      const mark = target.matches?.(".place") ? view.places.get(Number(placeOf(target))) : null;
      if (mark) return explorer.markLines(mark).join("\n");
      const k = tokenOf(target);
      return k === null ? "" : tip(k);
    };
    box.addEventListener("mousemove", (move) => explorer.tip(said(move.target), move.clientX, move.clientY));
    box.addEventListener("mouseleave", () => explorer.tip(""));
    box.addEventListener("focusin", ({ target }) => {
      const { left, bottom } = target.getBoundingClientRect();
      if (target.matches(".place:focus-visible")) explorer.tip(said(target), left, bottom);
    });
    box.addEventListener("focusout", () => explorer.tip(""));
    box.addEventListener("click", (click) => {
      const k = tokenOf(click.target);
      const event = k === null ? null : view.marks.get(k);
      const place = placeOf(click.target);
      if (place) onPlace(Number(place));
      else if (event) onEvent(event);
      else if (k !== null) box.dispatchEvent(new CustomEvent("token", { detail: k }));
    });
    return {
      node: box,
      update(changes) {
        Object.assign(view, changes);
        for (const block of nodes) if (block.filled) fill(block);
      },
      jump(k) {
        const block = nodes.findLast((one) => one.start <= k) || nodes[0];
        if (!block) return;
        if (!block.filled) fill(block);
        box.scrollIntoView({ block: "nearest" });
        const target = block.node.querySelector(`[data-k="${k}"]`) || block.node;
        box.scrollTop += target.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
        target.classList.add("flash");
        setTimeout(() => target.classList.remove("flash"), 1500);
      },
      end() { watcher.disconnect(); },
    };
  };
}
