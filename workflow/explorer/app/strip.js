// The strip above a thought: certainty, end marker and right answers along its tokens.
"use strict";

{
  const { element } = explorer;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** Points of the strip, from the rows of exits and trial points; ascending tokens. */
  function points(thought) {
    const first = thought.prompt_offsets.length;
    const start = explorer.tokenAt(thought, thought.thought[0]);
    const rows = new Map();
    const at = (token) => {
      if (!rows.has(token)) rows.set(token, { sure: null, marker: null, right: null, wrong: null });
      return rows.get(token);
    };
    for (const exit of thought.exits || []) {
      at(start + exit.tokens_before).sure = explorer.probability(exit.whole_logprob);
    }
    for (const point of thought.points || []) {
      const row = at(point.token - first);
      row.marker = explorer.probability(point.marker_logprob);
      if (point.answer !== null) row[point.correct ? "right" : "wrong"] = point.correct ? 1.06 : -0.06;
    }
    const tokens = [...rows.keys()].sort((a, b) => a - b);
    const column = (name) => tokens.map((token) => rows.get(token)[name]);
    return [tokens, column("sure"), column("marker"), column("right"), column("wrong")];
  }

  /** The strip as a node; a click calls `onToken`. Null: nothing was measured. */
  explorer.strip = function (thought, onToken) {
    const data = points(thought);
    if (!data[0].length) return null;
    const box = element("div.strip", { role: "img", "aria-label": "certainty along the thought; the table of exits holds the numbers" });
    const share = (plot, ticks) => ticks.map((tick) => `${Math.round(100 * tick)}%`);
    const text = colour("--text"), faint = colour("--faint");
    const dot = (label, name, filled) => ({
      label,
      stroke: colour(name),
      paths: () => null,
      points: { show: true, size: 6, fill: filled ? colour(name) : colour("--page"), stroke: colour(name) },
      value: (plot, value) => (value === null ? "–" : "yes"),
    });
    const shown = (plot, value) => explorer.percent(value);
    const options = {
      width: 640,
      height: 150,
      cursor: { points: { size: 7 }, drag: { x: false, y: false } },
      legend: { live: true },
      scales: { x: { time: false }, y: { range: [-0.12, 1.12] } },
      axes: [
        { label: "token of the completion", labelSize: 18, size: 34, stroke: text, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint } },
        { splits: () => [0, 0.5, 1], values: share, size: 58, stroke: text, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint } },
      ],
      series: [
        { label: "token" },
        { label: "answer at the exit", stroke: colour("--arrival"), width: 2, spanGaps: true, points: { show: true, size: 5 }, value: shown },
        { label: "end marker", stroke: colour("--wrap"), width: 2, dash: [5, 4], spanGaps: true, points: { show: false }, value: shown },
        dot("trial right", "--right", true),
        dot("trial wrong", "--wrong", false),
      ],
    };
    let plot = null;
    const draw = () => {
      const width = box.clientWidth;
      if (!width) return;
      if (plot) plot.setSize({ width, height: options.height });
      else {
        plot = new uPlot({ ...options, width }, data, box);
        plot.over.addEventListener("click", () => {
          const { idx } = plot.cursor;
          if (idx !== null && idx !== undefined) onToken(data[0][idx]);
        });
      }
    };
    const watcher = new ResizeObserver(draw);
    watcher.observe(box);
    return { node: box, end() { watcher.disconnect(); plot?.destroy(); } };
  };
}
