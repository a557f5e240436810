// The view of exit rules: where they stop in the replay, and while the model decoded.
"use strict";

{
  const { element, meanings, nothing, number, sheet, visible, yes } = explorer;

  /** Rows of rules that decided on the tokens of this very thought, not of a greedy one. */
  function ownOnline(thought) {
    const rows = thought.online || [];
    const sampled = rows.filter((row) => row.mode === "sampled");
    return sampled.length ? sampled : rows.filter((row) => thought.stops?.some((stop) => stop.full === row.full));
  }

  /** Names of the rules that stop after a token, by token; all rules, or one. */
  explorer.stops = function (thought, rule) {
    const start = explorer.tokenAt(thought, thought.thought[0]);
    const found = new Map();
    const replayed = (thought.stops || []).map((row) => ({ rule: row.policy, name: row.policy, kept: row.kept, stopped: row.kept < row.full }));
    const online = ownOnline(thought).map((row) => ({ ...row, name: `${row.rule} while decoding` }));
    for (const row of [...replayed, ...online]) {
      if (!row.stopped || (rule && row.rule !== rule)) continue;
      const k = Math.max(0, start + row.kept - 1);
      found.set(k, [...(found.get(k) || []), row.name]);
    }
    return found;
  };

  function show(thought, pane, rule, kept) {
    const start = explorer.tokenAt(thought, thought.thought[0]);
    const onclick = () => { pane.change({ choice: rule }); pane.jump(start + kept); };
    return element("button", { type: "button", onclick }, "show");
  }

  function replaySheet(thought, pane) {
    const rows = [...(thought.stops || [])].sort((a, b) => a.kept - b.kept || (a.policy < b.policy ? -1 : 1));
    if (!rows.length) return null;
    return [
      element("p", null, "Exit rules and hindsight policies, replayed on this thought. A rule that reaches the end did not stop it."),
      sheet(
        "Where rules stop",
        ["rule", "tokens kept", "of", "answer", "right", ""],
        rows.map((row) => ({
          attributes: row.policy === pane.state.choice ? { class: "chosen" } : null,
          cells: [
            row.policy,
            number(row.kept),
            number(row.full),
            row.answer === null ? "–" : visible(row.answer),
            yes(row.correct),
            show(thought, pane, row.policy, row.kept),
          ],
        })),
        meanings(thought, "stops", ["policy", "kept", "full", "answer", "correct"]),
      ),
    ];
  }

  /** Rules that decided while the model decoded, with the replay's answer at the same stop. */
  function onlineSheet(thought, pane) {
    const rows = [...(thought.online || [])].sort((a, b) => (a.mode < b.mode ? 1 : a.mode > b.mode ? -1 : a.kept - b.kept));
    if (!rows.length) return null;
    const own = new Set(ownOnline(thought));
    const others = rows.length > own.size;
    const cells = (row) => {
      const stop = own.has(row) ? (thought.stops || []).find((one) => one.policy === row.rule && one.kept === row.kept) : null;
      return [
        row.rule, row.mode, number(row.kept), number(row.replay_kept), number(row.full), yes(row.stopped),
        row.equal ? "nothing" : `${row.reason} at ${number(row.first)}`,
        stop ? visible(stop.answer ?? "none") : "–", yes(stop?.correct),
        own.has(row) ? show(thought, pane, row.rule, row.kept) : "",
      ];
    };
    return [
      element("p", null, "The same rules, deciding while the model decoded.", others ? " Greedy thoughts are not this one: their stops are not in this text." : ""),
      sheet(
        "Stops while decoding",
        ["rule", "mode", "tokens kept", "in the replay", "of", "stopped", "differs", "answer", "right", ""],
        rows.map((row) => ({ attributes: own.has(row) && row.rule === pane.state.choice ? { class: "chosen" } : null, cells: cells(row) })),
        [
          ...meanings(thought, "online", ["rule", "mode", "kept", "replay_kept", "full", "stopped", "reason"]),
          ...meanings(thought, "stops", ["answer", "correct"]).map((text) => `of the replay that stops at the same token: ${text}`),
        ],
      ),
    ];
  }

  function arrivalsSheet(thought) {
    if (!thought.arrivals?.length) return null;
    return sheet(
      "Arrivals, and what becomes of them",
      ["arrival", "answer there", "right", "later answer", "right later", "turn"],
      thought.arrivals.map((row) => [
        String(row.arrival), visible(row.answer ?? "–"), yes(row.correct),
        visible(row.next_answer ?? "–"), yes(row.next_correct), row.turn,
      ]),
      meanings(thought, "arrivals", ["arrival", "answer", "correct", "next_answer", "next_correct", "turn"]),
    );
  }

  /** Where each exit rule stops the thought; one can be marked in the text. */
  explorer.rulesView = function (thought, pane) {
    const sheets = [replaySheet(thought, pane), onlineSheet(thought, pane), arrivalsSheet(thought)].flat(Infinity).filter((node) => node !== null);
    return sheets.length ? sheets : nothing("Not measured: no rule was replayed on this thought.");
  };
}
