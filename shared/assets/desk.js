// The demo desk, live: the program sends its whole state by server-sent events, this draws it.
"use strict";

const words = JSON.parse(document.getElementById("words").textContent);
const body = document.body;
const persian = document.documentElement.lang === "fa";
const number = new Intl.NumberFormat(persian ? "fa-IR" : "en-US");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const at = (id) => document.getElementById(id);
let before = null;

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function press(selector, chosen) {
  for (const button of document.querySelectorAll(`[${selector}]`)) {
    button.setAttribute("aria-pressed", String(button.getAttribute(selector) === chosen));
  }
}

function drawTerminal(terminal) {
  body.dataset.terminal = terminal.mood;
  const screen = at("screen");
  const lines = terminal.lines.join("\n");
  if (screen.dataset.lines !== lines) {
    screen.dataset.lines = lines;
    screen.replaceChildren(...terminal.lines.map((line) => {
      const row = document.createElement("span");
      row.dir = "auto";
      row.textContent = line;
      return row;
    }));
  }
  setText(at("say-terminal"), words[`say_terminal_${terminal.says}`]);
  press("data-terminal-mode", terminal.mode);
  at("auto").setAttribute("aria-pressed", String(Boolean(terminal.auto)));
  at("auto").value = terminal.auto ? "false" : "true";
  setText(at("charged-count"), number.format(terminal.charged_count));
  setText(at("charged-rial"), `${number.format(terminal.charged_rial)} ${words.rial}`);
}

function drawPrinter(printer) {
  body.dataset.printer = printer.fault ?? "ready";
  press("data-printer-fault", printer.fault ?? "none");
  setText(at("papers"), number.format(printer.paper_count));
  const shown = printer.shown_paper === null ? "" : String(printer.shown_paper);
  if (body.dataset.paper === shown && at("paper-image").hasAttribute("src")) return;
  const paper = at("paper");
  if (shown === "") {
    if (before !== null && before.printer.shown_paper !== null) {
      paper.className = "paper torn";
      setTimeout(() => { body.dataset.paper = ""; paper.className = "paper"; }, still ? 0 : 500);
    } else {
      body.dataset.paper = "";
    }
    return;
  }
  const image = at("paper-image");
  image.onload = () => {
    body.dataset.paper = shown;
    paper.className = "paper";
    void paper.offsetWidth; // begins the roll anew
    if (before !== null) paper.classList.add("rolling");
    paper.parentElement.scrollTop = 0;
  };
  image.src = `/paper/${shown}`;
}

function drawPhone(phone) {
  const screen = at("phone-screen");
  if (screen === null) return;
  setText(at("phone-count"), number.format(phone.count));
  if (before === null || phone.count === before.phone.count) return;
  screen.replaceChildren(...phone.messages.map((message) => {
    const row = document.createElement("li");
    const to = document.createElement("bdi");
    const text = document.createElement("p");
    to.textContent = message.to;
    text.dir = "auto";
    text.textContent = message.text;
    row.append(to, text);
    return row;
  }));
  at("phone").open = true;
}

function sendPacket(kind) {
  const packets = at("packets");
  if (still || document.hidden || packets.childElementCount > 12) return;
  const packet = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  packet.setAttribute("r", "5");
  packet.setAttribute("class", `packet packet--${kind}`);
  packet.addEventListener("animationend", () => packet.remove());
  packets.append(packet);
}

function catSays(line) {
  if (!line.up) return words.say_cat_down;
  if (!line.central_reached) return words.say_cat_central;
  return line.mode === "good" ? words.say_cat_up : words[`say_cat_${line.mode}`];
}

function drawLine(line) {
  body.dataset.line = line.up ? "up" : "down";
  body.dataset.lineMode = line.mode;
  body.dataset.central = line.central_reached ? "yes" : "no";
  at("rocker").setAttribute("aria-checked", String(line.up));
  at("rocker").value = line.up ? "false" : "true";
  press("data-line-mode-key", line.mode);
  setText(at("say-cat"), catSays(line));
  setText(at("sent"), number.format(line.sent_bytes));
  setText(at("received"), number.format(line.received_bytes));
  setText(at("refused"), number.format(line.refused_count));
  setText(at("cut"), number.format(line.cut_count));
  if (before !== null) {
    if (line.sent_bytes > before.line.sent_bytes) sendPacket("up");
    if (line.received_bytes > before.line.received_bytes) sendPacket("down");
  }
}

/* With several terminals one stands in front: the one chosen, until another asks for a card while it rests. */
function front(terminals) {
  let shown = Number(body.dataset.shown);
  const asks = (terminal) => terminal.mood === "waiting";
  const begins = terminals.findIndex((one, place) => asks(one) && !(before && asks(before.terminals[place])));
  if (begins >= 0 && !asks(terminals[shown - 1])) shown = begins + 1;
  show(shown);
  for (const tab of document.querySelectorAll("[data-tab]")) {
    tab.dataset.mood = terminals[Number(tab.dataset.tab) - 1].mood;
  }
  return terminals[shown - 1];
}

function show(place) {
  body.dataset.shown = String(place);
  for (const field of document.querySelectorAll("input[name=terminal]")) field.value = String(place);
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === String(place)) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
}

function draw(state) {
  drawTerminal(front(state.terminals));
  drawPrinter(state.printer);
  drawPhone(state.phone);
  drawLine(state.line);
  before = state;
}

const source = new EventSource("/events");
source.addEventListener("state", (event) => draw(JSON.parse(event.data)));
source.addEventListener("open", () => { document.querySelector(".desk-lost").hidden = true; });
source.addEventListener("error", () => { document.querySelector(".desk-lost").hidden = false; });
addEventListener("pagehide", () => source.close());

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button === null || event.target.method !== "post") return;
  event.preventDefault();
  fetch(event.target.action, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: new URLSearchParams([...new FormData(event.target), [button.name, button.value]]),
  }).catch(() => { document.querySelector(".desk-lost").hidden = false; });
});

// The focus that comes back to the paper must not scroll it to its middle.
at("paper-sheet").addEventListener("close", () => requestAnimationFrame(() => { at("paper").parentElement.scrollTop = 0; }));

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-tab]");
  if (tab !== null && before !== null) {
    event.preventDefault();
    show(Number(tab.dataset.tab));
    drawTerminal(before.terminals[Number(tab.dataset.tab) - 1]);
  }
  const copy = event.target.closest("[data-copy]");
  if (copy !== null) {
    navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
      copy.dataset.done = "yes";
      setTimeout(() => delete copy.dataset.done, 1500);
    });
  }
  if (event.target.closest(".paper__open") !== null) {
    at("paper-sheet").querySelector("img").src = at("paper-image").src;
    at("paper-sheet").showModal();
    at("paper-sheet").scrollTop = 0;
  }
});
