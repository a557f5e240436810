// Chunks of data: each is a script that hands over compressed JSON.
"use strict";

{
  const KEPT = 24; // chunks in memory
  const waiting = new Map();
  const loaded = new Map();

  async function unpacked(packed) {
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  /** Called by the scripts in `data/`. */
  explorer.receive = (name, packed) => waiting.get(name)?.resolve(unpacked(packed));

  /** The data of a chunk; it is read once, and again only if it was long unused. */
  explorer.chunk = function (name) {
    if (loaded.has(name)) {
      const data = loaded.get(name);
      loaded.delete(name);
      loaded.set(name, data);
      return data;
    }
    const data = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      waiting.set(name, { resolve });
      script.src = `data/${name}.js`;
      script.onload = () => { script.remove(); waiting.delete(name); };
      script.onerror = () => {
        script.remove();
        loaded.delete(name);
        reject(new Error(`data/${name}.js is missing or damaged. Run snakemake explorer again.`));
      };
      document.head.append(script);
    });
    loaded.set(name, data);
    const old = [...loaded.keys()].filter((key) => !/index|list/.test(key));
    for (const key of old.slice(0, Math.max(0, old.length - KEPT))) loaded.delete(key);
    return data;
  };

  /** The index: studies, and the meanings of all columns. */
  explorer.index = () => explorer.chunk("index");

  /** The list of a study, with the places of its thoughts by name. */
  explorer.list = async function (number) {
    const list = await explorer.chunk(`${number}-list`);
    if (!list.places) list.places = new Map(list.columns.trace.map((name, k) => [name, k]));
    return list;
  };

  /** Rows of a part as objects with the names of the table's columns. */
  explorer.rows = (legend, part, rows) =>
    (rows || []).map((row) => Object.fromEntries(legend[part].columns.map((name, k) => [name, row[k]])));

  function sums(steps) {
    const values = new Int32Array(steps.length);
    let sum = 0;
    steps.forEach((step, k) => { values[k] = sum += step; });
    return values;
  }

  /** A thought with its rows as objects; null if the study has none of this name. */
  explorer.thought = async function (study, trace) {
    const { studies, legend } = await explorer.index();
    const number = studies.findIndex((one) => one.name === study);
    if (number < 0) return null;
    const list = await explorer.list(number);
    const place = list.places.get(trace);
    if (place === undefined) return null;
    const size = studies[number].chunk;
    const chunk = await explorer.chunk(`${number}-thoughts-${Math.floor(place / size)}`);
    const record = chunk[place % size];
    const problem = list.columns.problem[place];
    const parts = Object.keys(legend).filter((name) => legend[name].columns && record[name]);
    return {
      ...record,
      ...Object.fromEntries(parts.map((name) => [name, explorer.rows(legend, name, record[name])])),
      study: studies[number],
      number,
      place,
      list,
      legend,
      question: list.questions[problem],
      gold: list.golds[problem],
      offsets: sums(record.offsets),
      prompt_offsets: sums(record.prompt_offsets),
    };
  };

  /** What is known of a selected turn of a thought; null: nothing. */
  explorer.turn = async function (thought, event) {
    const key = `${thought.trace} ${event}`;
    const place = thought.list.turns[key];
    if (place === undefined) return null;
    const chunk = await explorer.chunk(`${thought.number}-turns-${place}`);
    return chunk[key];
  };
}
