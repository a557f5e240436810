// Elements of the page. Text of models goes into text nodes only, never into markup.
"use strict";
const explorer = {};

/** An element. Attributes that begin with "on" are listeners; children are nodes or texts. */
explorer.element = function (name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
};

/** Signs that would change the order of other text, or cannot be seen, by their code. */
explorer.visible = function (text) {
  return String(text).replace(
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu,
    (sign) => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
};

/** A number as the page shows it: four digits that count. */
explorer.number = function (value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100000)) return value.toExponential(digits - 2);
  return String(Number(value.toPrecision(digits)));
};

/** A probability from its logarithm. */
explorer.probability = (logprob) =>
  logprob === null || logprob === undefined ? null : Math.exp(logprob);

explorer.percent = function (share) {
  if (share === null || share === undefined) return "–";
  return share > 0 && share < 0.001 ? "< 0.1%" : `${(100 * share).toFixed(1)}%`;
};

explorer.yes = (flag) => (flag === null || flag === undefined ? "–" : flag ? "yes" : "no");

/** A table with a caption; cells are nodes or texts. `meanings` explain the columns. */
explorer.sheet = function (caption, columns, rows, meanings = []) {
  const { element } = explorer;
  return element(
    "div.scroll",
    { tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table.sheet",
      null,
      element("caption", null, caption),
      element(
        "thead",
        null,
        element(
          "tr",
          null,
          columns.map((name, k) => element("th", { scope: "col", title: meanings[k] || null }, name)),
        ),
      ),
      element(
        "tbody",
        null,
        rows.map((row) => element("tr", row.attributes || null, (row.cells || row).map((cell) => element("td", null, cell)))),
      ),
    ),
  );
};

/** Shows a text beside the pointer or the focused element; an empty one hides it. */
explorer.tip = function (text, x, y) {
  const tip = document.getElementById("tip");
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18}px`;
};

/** Says why a view is empty. */
explorer.nothing = (text) => explorer.element("p.nothing", null, text);

/** What columns of a part of a thought mean. */
explorer.meanings = (thought, part, names) =>
  names.map((name) => {
    const { columns, meanings } = thought.legend[part];
    return meanings[columns.indexOf(name)] || "";
  });
