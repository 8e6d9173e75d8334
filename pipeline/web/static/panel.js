// The side panel: detail beside the page, closed with Escape; the focus goes back where it was.

import { fill, find } from "./dom.js";

let opener = null;
let whenClosed = null;

export const isPanelOpen = () => !find("#panel").hidden;

export function openPanel(title, children, { onClose = null, takesFocus = true } = {}) {
  const panel = find("#panel");
  if (panel.hidden) opener = document.activeElement;
  if (whenClosed) whenClosed();
  whenClosed = onClose;
  fill(find("#panel-title"), title);
  fill(find("#panel-body"), children);
  panel.hidden = false;
  panel.scrollTop = 0;
  if (takesFocus) find("#panel-title").focus();
  return find("#panel-body");
}

export function closePanel() {
  const panel = find("#panel");
  if (panel.hidden) return;
  panel.hidden = true;
  fill(find("#panel-body"));
  const closed = whenClosed;
  whenClosed = null;
  if (closed) closed();
  if (opener?.isConnected) opener.focus();
  opener = null;
}
