// The state of the page is its address: #/list?… or #/thought/STUDY/TRACE/EVENT/VIEW/CHOICE|…
"use strict";

{
  const part = (text) => encodeURIComponent(text).replaceAll("~", "%7E").replaceAll("%2F", "~");
  const whole = (text) => decodeURIComponent(text.replaceAll("~", "%2F"));

  /** The state that an address stands for. */
  explorer.parse = function (hash) {
    const address = hash.replace(/^#/, "") || "/list";
    if (address.startsWith("/thought/")) {
      const panes = address.slice("/thought/".length).split("|").slice(0, 2).map((pane) => {
        const [study, trace, event, view, choice] = pane.split("/").map(whole);
        return { study, trace: trace || "", event: event === undefined || event === "" ? null : Number(event), view: view || "", choice: choice || "" };
      });
      return { page: "thought", panes };
    }
    const query = new URLSearchParams(address.split("?")[1] || "");
    return { page: "list", query };
  };

  /** The address of panes that show a thought each. */
  explorer.thoughtAddress = (panes) =>
    "#/thought/" +
    panes
      .map((pane) =>
        [part(pane.study), part(pane.trace), pane.event ?? "", pane.view ? part(pane.view) : "", pane.choice ? part(pane.choice) : ""]
          .join("/")
          .replace(/\/+$/, ""),
      )
      .join("|");

  /** The address of a list. */
  explorer.listAddress = function (query) {
    const text = query.toString();
    return text ? `#/list?${text}` : "#/list";
  };

  /** Go to an address; `replace` leaves no step for the way back. */
  explorer.go = function (address, replace = false) {
    if (address === location.hash) return;
    if (replace) {
      history.replaceState(null, "", address);
      explorer.show();
    } else location.hash = address;
  };
}
