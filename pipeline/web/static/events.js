// What happens, as the server tells it. A hidden page does not listen: browsers open only a few
// connections to one server. When it is seen again, `reload` says that something may be missed.

import { BASE } from "./api.js";

// listen({boxes, sighting, changed, alert, reload}): each gets what the event holds.
export function listen(handlers) {
  let source = null;

  function open() {
    source = new EventSource(`${BASE}/events`);
    for (const [kind, does] of Object.entries(handlers)) {
      source.addEventListener(kind, (event) => does(event.data ? JSON.parse(event.data) : {}));
    }
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!source) { open(); handlers.reload?.({}); }
  });
  addEventListener("pagehide", close);
  document.addEventListener("pulse", () => {
    // Refused once (too many streams, a restart): a browser does not try again by itself.
    if (source?.readyState === EventSource.CLOSED && !document.hidden) { close(); open(); handlers.reload?.({}); }
  });
  if (!document.hidden) open();
}
