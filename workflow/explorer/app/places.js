// Places of a thought where it was changed, or from which it was written again.
"use strict";

{
  const { number, percent, visible } = explorer;
  const signs = (text) => [...text].length;

  /** Length of the beginning that two texts share. */
  explorer.parting = function (text, other) {
    const most = Math.min(text.length, other.length);
    let n = 0;
    while (n < most && text[n] === other[n]) n += 1;
    return n && /[\ud800-\udbff]/.test(text[n - 1]) ? n - 1 : n;
  };

  /** Lengths of the whole words that an old and a new text share at both ends. */
  explorer.changedWords = function (old, fresh) {
    const word = (text, k) => /\S/.test(text[k] ?? " ");
    if (!/\s/.test(old + fresh)) return { first: 0, last: 0 };
    let first = explorer.parting(old, fresh);
    while (first && word(fresh, first - 1) && (word(old, first) || word(fresh, first))) first -= 1;
    const most = Math.min(old.length, fresh.length) - first;
    let last = 0;
    while (last < most && old[old.length - 1 - last] === fresh[fresh.length - 1 - last]) last += 1;
    while (last && word(fresh, fresh.length - last) && (word(old, old.length - last - 1) || word(fresh, fresh.length - last - 1))) last -= 1;
    return { first, last };
  };

  /** What an edit does, in a few words. */
  function editLabel(row) {
    if (row.old !== row.new) {
      const { first, last } = explorer.changedWords(row.old, row.new);
      const [old, fresh] = [row.old, row.new].map((text) => visible(text.slice(first, text.length - last).trim()));
      const change = old && fresh ? `${old} → ${fresh}` : old ? `without “${old}”` : `+ “${fresh}”`;
      return `${row.kind}: ${change}${row.appended ? `, then “${visible(row.appended)}”` : ""}`;
    }
    return row.appended ? `${row.kind}: + “${visible(row.appended)}”` : `unchanged (${row.kind})`;
  }

  /** An edit with the characters that it changes, and the token before which its mark stands. */
  function edit(thought, row) {
    const found = { row, label: editLabel(row), kind: "edit", from: row.cut, to: row.cut, place: row.kept };
    if (row.old === row.new) return row.appended ? found : { ...found, kind: "from" };
    const { first, last } = explorer.changedWords(row.old, row.new);
    found.from = row.start + signs(row.old.slice(0, first));
    found.to = row.end - signs(row.old.slice(row.old.length - last));
    found.place = found.to > found.from ? explorer.tokenAt(thought, found.to - 1) + 1 : explorer.tokenAt(thought, found.from);
    return found;
  }

  /** All edits of a thought. */
  explorer.edits = (thought) => (thought.edited ??= (thought.edits || []).map((row) => edit(thought, row)));

  /** The token at which a text that begins as the thought does parts from it; null: it does not. */
  function partingToken(thought, text) {
    if (text === thought.text) return null;
    return explorer.tokenAt(thought, signs(thought.text.slice(0, explorer.parting(text, thought.text))));
  }

  /** Where a continuation after an arrival begins; a whole thought parts from the thought. */
  function afterArrival(thought, row) {
    const arrival = (thought.ablated || []).find((one) => one.event === row.event);
    if (!arrival) return whole(thought, row);
    const place = arrival.position + 1 - thought.prompt_offsets.length;
    return { kind: "from", place, start: place };
  }

  const whole = (thought, row) => ({ kind: "parts", place: partingToken(thought, row.text), start: 0 });
  const after = (row) => ({ kind: "from", place: row.kept, start: row.kept });
  const steered = (row) => (row.direction === null ? "nothing added" : `${row.direction}, boundary ${row.boundary}, ${row.positions}, strength ${number(row.strength)}`);
  const draws = (row) => `, draw ${row.draw}`;

  /** By part of the data: what its texts are called, a label, and where they leave the thought. */
  const TEXTS = {
    mistakes: {
      name: "changed",
      at: (thought, row) => explorer.edits(thought).find((one) => one.row.place === row.place && one.row.kind === row.kind),
      label: (row, found) => `${found ? found.label : row.kind}, ${row.place}`,
      more: (row) => `${draws(row)}${row.noticed ? ", noticed" : ""}`,
    },
    wrong_samples: {
      name: "continued",
      at: (thought, row) => (row.kept === 0 ? whole(thought, row) : after(row)),
      label: (row) => `${row.action}, ${row.place} arrival`,
      more: draws,
    },
    decoding_actions: {
      name: "decoding action",
      at: (thought, row) => ({ ...whole(thought, row), ...(row.text === thought.text ? {} : { place: row.shared }) }),
      label: (row) => row.action,
    },
    steering: { name: "steered", at: whole, label: steered },
    short: {
      name: "steered from here",
      at: (thought, row) => after(row),
      label: (row) => `${row.setting === "grid" ? "" : `${row.setting}, `}${steered(row)}`,
      more: (row) => (row.turned ? ", turns back" : ""),
    },
    ablations: {
      name: "ablated",
      at: afterArrival,
      label: (row) => (row.ablation === "none" ? "nothing taken away" : `${row.ablation}${row.null === "named" ? "" : `, ${row.null} set`}`),
      more: (row) => `${row.null === "named" ? "" : ` ${row.draw}`}${row.readable ? "" : ", not readable"}`,
    },
  };

  /** Free runs with and without an injection, by the token after which they go on. */
  function injections(thought) {
    const runs = thought.free_runs || [];
    return [...new Set(runs.map((row) => row.token))].map((token) => {
      const here = runs.filter((row) => row.token === token);
      return {
        kind: "from", place: token + 1 - thought.prompt_offsets.length, name: "injected", row: {}, runs: here,
        label: `${number(here.length)} runs with and without an added vector`, more: "",
      };
    });
  }

  /** All texts that were decoded with a change, each with its place in the thought. */
  explorer.others = function (thought) {
    thought.others ??= Object.entries(TEXTS).flatMap(([part, { name, at, label, more }]) =>
      (thought[part] || []).map((row) => {
        const found = at(thought, row);
        return { kind: "parts", place: null, ...found, name: found?.row && found.kind === "from" ? "continued" : name, row, edit: found?.row, label: label(row, found), more: more?.(row) ?? "" };
      }),
    ).concat(injections(thought));
    return thought.others;
  };

  const PLACES = {
    texts: (thought) => [
      ...explorer.others(thought).map((one) => ({ ...one, label: `${one.name}: ${one.label}` })),
      ...explorer.edits(thought).filter((one) => !explorer.others(thought).some((other) => other.edit === one.row)),
    ],
    resamples: (thought) =>
      (thought.boundaries || []).map((row) => ({
        kind: "from",
        place: row.position + 1 - thought.prompt_offsets.length,
        label: `written again (${row.kind}): ${percent(row.rate)} of ${number(row.draws)} draws turn back`,
      })),
  };
  const STRENGTH = { edit: 3, from: 2, parts: 1 };

  /** Marks of a view in the text: kind and labels by the token before which a mark stands. */
  explorer.places = function (thought, view) {
    const found = new Map();
    for (const { kind, place, label } of PLACES[view]?.(thought) || []) {
      if (place === null) continue;
      const mark = found.get(place) || { kind, labels: new Map() };
      if (STRENGTH[kind] > STRENGTH[mark.kind]) mark.kind = kind;
      mark.labels.set(label, (mark.labels.get(label) || 0) + 1);
      found.set(place, mark);
    }
    return found;
  };

  /** What a mark says: at most so many lines. */
  explorer.markLines = function (mark, most = 10) {
    const lines = [...mark.labels].map(([label, count]) => (count > 1 ? `${label} (${count} texts)` : label));
    return lines.length > most ? [...lines.slice(0, most - 1), `and ${lines.length - most + 1} more`] : lines;
  };
}
