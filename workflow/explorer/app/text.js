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
    const node = element(`span.${classes.join(".")}`, { "data-k": k }, visible(piece));
    const shade = view.shade?.(k);
    if (shade) { node.style.setProperty("--shade", shade.strength); node.classList.add(shade.sign); }
    if (view.stops?.has(k)) node.append(element("span.stop", { title: view.stops.get(k).join(", "), role: "img", "aria-label": `stops: ${view.stops.get(k).join(", ")}` }));
    return node;
  }

  /** The text of a thought as a node with `update`, `jump`, and `fill` of blocks in sight. */
  explorer.textNode = function (thought, onToken, onEvent) {
    thought.unit = explorer.units(thought.text);
    const starts = blocks(thought);
    const view = { marks: marks(thought), event: null, shade: null, stops: null };
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
      for (let k = block.start; k < block.end; k += 1) tokens.push(tokenNode(thought, k, view));
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
    box.addEventListener("mousemove", (move) => {
      const k = tokenOf(move.target);
      explorer.tip(k === null ? "" : onToken(k), move.clientX, move.clientY);
    });
    box.addEventListener("mouseleave", () => explorer.tip(""));
    box.addEventListener("click", (click) => {
      const k = tokenOf(click.target);
      const event = k === null ? null : view.marks.get(k);
      if (event) onEvent(event);
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
        const target = block.node.querySelector(`[data-k="${k}"]`) || block.node;
        box.scrollTop += target.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
        target.classList.add("flash");
        setTimeout(() => target.classList.remove("flash"), 1500);
      },
      end() { watcher.disconnect(); },
    };
  };
}
