// Views beside a thought: exits, rules, and what was measured at one of its turns.
"use strict";

{
  const { element, meanings, nothing, number, percent, probability, sheet, visible, yes } = explorer;

  /** The answers that were forced at the exits of a thought. */
  function exits(thought, pane) {
    if (!thought.exits?.length) return nothing("Not measured: this study has no exits of this thought.");
    const start = explorer.tokenAt(thought, thought.thought[0]);
    const names = ["exit", "tokens_before", "answer", "correct", "whole_logprob", "margin", "entropy"];
    return [
      element("p", null, "The thought is cut after each arrival and closed; then the model must answer. Exit 0 is before any thought."),
      sheet(
        "Forced answers",
        ["exit", "tokens before", "answer", "right", "probability", "margin", "entropy", ""],
        thought.exits.map((exit) => [
          String(exit.exit),
          number(exit.tokens_before),
          exit.answer === null ? `– (${visible(exit.answer_text)})` : visible(exit.answer),
          yes(exit.correct),
          percent(probability(exit.whole_logprob)),
          number(exit.margin),
          number(exit.entropy),
          element("button", { type: "button", onclick: () => pane.jump(start + exit.tokens_before) }, "show"),
        ]),
        meanings(thought, "exits", names),
      ),
    ];
  }

  /** Planted causes of the boundaries of a planted language. */
  function truth(thought, pane) {
    if (!thought.truth?.length) return nothing("Not measured: the model has no planted language.");
    return sheet(
      "Boundaries and their planted causes",
      ["boundary", "what it does", "cause", "stands in", "planted probability", ""],
      thought.truth.map((row) => [
        String(row.boundary), row.choice ?? "not read", row.cause, row.cause_in ?? "–", percent(row.probability),
        element("button", { type: "button", onclick: () => pane.jump(explorer.tokenAt(thought, row.start)) }, "show"),
      ]),
      meanings(thought, "truth", ["boundary", "choice", "cause", "cause_in", "probability"]),
    );
  }

  const METRICS = {
    log_odds: "the log-odds of turning back",
    difference: "the log-prob of backtrack words minus that of wrap-up words",
    target: "the logit of the most likely next token",
  };

  /** What interventions do to the turn at this very event. */
  function interventions(thought, pane, turn) {
    if (!turn?.effects) return nothing("Not measured: interventions were not made at this event.");
    const names = thought.legend.effects.columns;
    return [
      element("p", null, "What the methods say of this event: the log-odds of turning back and their change (nats) by steering and by taking units and heads away, beside random ones; and what became of the answer."),
      sheet(
        "This event",
        ["what", "value"],
        names.map((name, k) => {
          const value = turn.effects[k];
          const cell = typeof value === "boolean" ? yes(value) : typeof value === "number" ? number(value) : value ?? "–";
          return [element("span", { title: thought.legend.effects.meanings[k] }, name.replaceAll("_", " ")), cell];
        }),
      ),
    ];
  }

  /** Scores of the tokens before a turn: the tokens are shaded, hover shows numbers. */
  function attribution(thought, pane, turn) {
    if (!turn?.attribution) return nothing("Not measured: this event was not selected for attribution.");
    const [, metric] = turn.attribution;
    const ranks = pane.ranks;
    const first = thought.prompt_offsets.length;
    const top = ranks.order.slice(0, 20);
    const piece = (token) => {
      if (token < first) return `${visible(thought.prompt.slice(...pane.promptSpan(token)))} (prompt)`;
      const k = token - first;
      return visible(thought.text.slice(thought.unit(thought.offsets[k]), thought.unit(thought.offsets[k + 1] ?? Infinity)));
    };
    return [
      element("p", null, `Estimated change of ${METRICS[thought.study.metric]} (now ${number(metric)}) when the state of a token is replaced by its mean. `,
        element("span.key.against", null, "supports turning"), " ", element("span.key.toward", null, "speaks against it")),
      sheet(
        "Tokens with the largest scores",
        ["rank", "token", "largest |score|", "with its sign", ""],
        top.map((token, k) => [
          String(k + 1), element("span", { dir: "auto" }, `“${piece(token)}”`), number(turn.attribution[3][token]), number(turn.attribution[4][token]),
          token >= first ? element("button", { type: "button", onclick: () => pane.jump(token - first) }, "show") : "",
        ]),
        ["1: the highest score", "its text", ...meanings(thought, "attribution", ["max_abs", "signed_max"])],
      ),
      turn.exact?.length
        ? sheet(
            "Words replaced exactly",
            ["exact rank", "word", "exact change", "estimate", "its rank", "drawn as", ""],
            [...turn.exact].sort((a, b) => a[5] - b[5]).map(([word, token, source, cause, exact, rank, , estimate, estimated]) => [
              number(rank), element("span", { dir: "auto" }, visible(word)), number(exact), number(estimate), number(estimated),
              cause ? `${source}, planted cause` : source,
              token >= first ? element("button", { type: "button", onclick: () => pane.jump(token - first) }, "show") : "(prompt)",
            ]),
            meanings(thought, "exact", ["exact_rank", "word", "exact", "estimate", "estimate_rank", "source"]),
          )
        : null,
      turn.profiles
        ? sheet(
            `Scores by layer of the first of them`,
            ["token", ...turn.profiles.layers.map((_, layer) => String(layer))],
            top.filter((token) => turn.profiles.tokens.includes(token)).slice(0, 8).map((token) => {
              const k = turn.profiles.tokens.indexOf(token);
              return [`“${piece(token)}”`, ...turn.profiles.layers.map((scores) => number(scores[k], 2))];
            }),
          )
        : null,
    ];
  }

  /** Where the leading heads look. */
  function attention(thought, pane, turn) {
    if (!turn?.attention?.length) return nothing("Not measured: this event was not selected for attention.");
    const bins = thought.legend.bins.columns;
    const words = { bos: "first token", part_1: "1st fifth", part_2: "2nd", part_3: "3rd", part_4: "4th", part_5: "5th", current_sentence: "this sentence", arrival_sentence: "last arrival" };
    return [
      element("p", null, "Share of attention by bin, of the heads that lead the study's rankings (attention to the sentence of the last arrival, and what they write toward backtrack words)."),
      sheet(
        "Leading heads",
        ["head", ...bins.map((name) => words[name] || name), "writes backtrack", "wrap-up"],
        turn.attention.map(([layer, head, shares, back, wrap]) => [
          `${layer}.${head}`,
          ...shares.map((value) => element("span.share", { style: { "--share": value ?? 0 } }, percent(value))),
          number(back, 3), number(wrap, 3),
        ]),
        ["layer.head", ...meanings(thought, "attention", bins), ...meanings(thought, "attention", ["dla_backtrack", "dla_wrap_up"])],
      ),
    ];
  }

  /** The residual stream through the logit lens. */
  function lens(thought, pane, turn) {
    if (!turn?.lens?.length) return nothing("Not measured: this event was not selected for the lens.");
    return sheet(
      "Logit lens, layer by layer",
      ["layer", "top tokens", "backtrack words", "wrap-up words", "log-prob of a backtrack word"],
      turn.lens.map(([layer, back, wrap, logprob, tops]) => [
        String(layer),
        element("span", { dir: "auto" }, tops.map((text) => element("span.token", null, visible(text)))),
        number(back), number(wrap), number(logprob),
      ]),
      meanings(thought, "lens", ["layer", "top_ids", "backtrack", "wrap_up", "backtrack_logprob"]),
    );
  }

  /** The prompt: its text, and its tokens one by one. */
  function prompt(thought, pane) {
    const tokens = [...thought.prompt_offsets].map((_, k) => element("span.token", null, visible(thought.prompt.slice(...pane.promptSpan(k)))));
    return [
      element("h3", null, "Text"), element("pre.prompt", { dir: "auto" }, visible(thought.prompt)),
      element("h3", null, `Tokens (${tokens.length})`), element("p.tokens", { dir: "auto" }, tokens),
    ];
  }

  explorer.views = {
    exits: { title: "exits", build: exits },
    rules: { title: "rules", build: explorer.rulesView },
    attribution: { title: "attribution", build: attribution, turn: true },
    attention: { title: "attention", build: attention, turn: true },
    lens: { title: "lens", build: lens, turn: true },
    interventions: { title: "interventions", build: interventions, turn: true },
    resamples: { title: "resamples", build: explorer.resamplesView },
    texts: { title: "other texts", build: explorer.textsView },
    truth: { title: "planted causes", build: truth },
    prompt: { title: "prompt", build: prompt, always: true },
  };
}
