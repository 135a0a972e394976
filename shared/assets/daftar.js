/* The one script of our own. Pages work without it; with it they are live and quicker to use.
 *
 * - hears the box's changes (server-sent events) and tells htmx which parts to fetch anew
 * - a scanner is a very fast typist: 26 digits in a burst open the bill, whatever page this is
 * - single keys go places while nobody is typing; a form that was sent is not sent twice
 *
 * No money and no state lives here: everything shown was rendered by the box.
 */
"use strict";

(() => {
  const body = document.body;
  const tell = (name) => body.dispatchEvent(new CustomEvent(name));

  /* --- changes ------------------------------------------------------------------------------------------------ */

  const lost = document.getElementById("lost");
  /* The box says something every five seconds. One whose plug was pulled ends no stream: it only falls silent. */
  const SILENCE_MS = 12000;
  let silence = 0;

  function listen(address) {
    const stream = new EventSource(address);
    const hear = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        lost.hidden = false;
        stream.close();
        listen(address);
      }, SILENCE_MS);
    };
    hear();
    stream.addEventListener("ping", () => {
      hear();
      lost.hidden = true;
    });
    stream.addEventListener("change", (message) => {
      hear();
      const change = JSON.parse(message.data);
      tell(`daftar:${change.kind}`);
      tell(change.id === null ? `daftar:${change.kind}-any` : `daftar:${change.kind}:${change.id}`);
    });
    stream.addEventListener("open", () => {
      lost.hidden = true;
      /* What changed since the page was rendered, or while the line was gone, was not told: everything is fetched
         anew. A part that did not change answers with nothing. */
      for (const kind of ["payment", "inquiry", "printer", "terminal", "line", "notice"]) {
        tell(`daftar:${kind}`);
        tell(`daftar:${kind}-any`);
      }
    });
    stream.addEventListener("error", () => {
      lost.hidden = false;
      if (stream.readyState === EventSource.CLOSED) {
        clearTimeout(silence);
        setTimeout(() => listen(address), 5000);
      }
    });
    const end = () => {
      clearTimeout(silence);
      stream.close();
    };
    window.addEventListener("pagehide", end, { once: true });
  }

  if (body.dataset.events && "EventSource" in window) listen(body.dataset.events);
  document.addEventListener("htmx:sendError", () => {
    lost.hidden = false;
  });
  document.addEventListener("htmx:afterOnLoad", () => {
    lost.hidden = true;
  });
  /* A page that comes back out of the browser's memory may be old. */
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  /* --- parts that changed are said aloud, once ------------------------------------------------------------------- */

  let said = "";
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt.closest("[data-announce]") || document.getElementById(event.detail.elt.id);
    const word = part && part.dataset.announce;
    const announce = document.getElementById("announce");
    if (announce && word && word !== said) {
      announce.textContent = word;
      said = word;
    }
    const field = document.querySelector("title");
    if (word && field && field.textContent.includes(" · ")) {
      document.title = [word, ...document.title.split(" · ").slice(1)].join(" · ");
    }
  });
  const first = document.querySelector("[data-announce]");
  if (first) said = first.dataset.announce;

  /* --- forms --------------------------------------------------------------------------------------------------------- */

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.hasAttribute("data-sent")) {
      event.preventDefault();
      return;
    }
    form.setAttribute("data-sent", "");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
  });

  /* --- a field that is full leads on to the next one; backspace in an empty part of a plate leads back ------------------ */

  function beside(field, step) {
    const fields = [...field.form.querySelectorAll("input:not([type=hidden]), select")];
    return fields[fields.indexOf(field) + step];
  }

  /* Who goes through a list with the arrows has not chosen yet; who corrects a digit in the middle is not done. */
  let byArrow = false;

  function isFull(field) {
    if (field.matches("select")) return field.value !== "" && !byArrow;
    const digits = field.value.replace(/[^0-9۰-۹٠-٩]/g, "");
    return digits.length >= Number(field.dataset.full) && field.selectionStart === field.value.length;
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    const next = field.dataset.full && isFull(field) && beside(field, 1);
    if (next) next.focus();
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    byArrow = /^(?:Arrow|Page|Home|End)/.test(event.key);
    if (event.key !== "Backspace" || !field.matches || !field.matches(".plate-entry input") || field.value) return;
    const before = beside(field, -1);
    if (before && before.closest(".plate-entry")) before.focus();
  });

  /* --- a choice that a number makes likely is made, until somebody makes one ---------------------------------------------- */

  for (const group of document.querySelectorAll("[data-preset-by]")) {
    const number = group.closest("form").elements[group.dataset.presetBy];
    const choices = [...group.querySelectorAll("input")];
    let made = null;
    group.addEventListener("click", (event) => {
      if (event.target.matches("input")) made = null;
    });
    number.addEventListener("input", () => {
      if (choices.some((choice) => choice.checked && choice !== made)) return;
      const digits = number.value
        .replace(/[۰-۹٠-٩]/g, (digit) => digit.charCodeAt(0) & 15)
        .replace(/[^0-9]/g, "")
        .replace(/^(?:0098|98|0)?(?=9)/, "0");
      const fits = (choice) =>
        Math.max(0, ...(choice.dataset.prefixes || "").split(" ").map((one) => (digits.startsWith(one) ? one.length : 0)));
      const best = choices.reduce((one, other) => (fits(other) > fits(one) ? other : one));
      if (made) made.checked = false;
      made = fits(best) ? best : null;
      if (!made) return;
      made.checked = true;
      document.getElementById("announce").textContent = made.labels[0].textContent.trim();
    });
  }

  /* --- what is ticked adds up on the button that pays it ----------------------------------------------------------------- */

  function addUp() {
    for (const button of document.querySelectorAll("[data-sum-of]")) {
      const ticked = [...document.querySelectorAll(`[name="${button.dataset.sumOf}"]:checked`)];
      const rial = ticked.reduce((sum, field) => sum + Number(field.dataset.rial), 0);
      const toman = new Intl.NumberFormat(document.documentElement.lang).format(rial / 10);
      button.querySelector("[data-sum]").textContent = ticked.length ? ` · ${toman}` : "";
      button.disabled = ticked.length === 0;
    }
  }
  document.addEventListener("change", addUp);
  document.addEventListener("htmx:afterSettle", addUp);
  window.addEventListener("pageshow", addUp);

  /* --- menus, sheets, print -------------------------------------------------------------------------------------------- */

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const opener = event.target.closest("[data-open]");
    if (opener) {
      event.preventDefault();
      document.getElementById(opener.dataset.open).showModal();
    }
    if (event.target.closest("[data-print]")) window.print();
  });
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;

  /* --- the search's suggestions: up and down among them, Escape away from them --------------------------------------- */

  const suggestions = document.getElementById("suggestions");
  const search = document.getElementById("search");
  if (suggestions && search) {
    search.form.addEventListener("keydown", (event) => {
      const links = [search, ...suggestions.querySelectorAll("a")];
      const at = links.indexOf(document.activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && at >= 0) {
        event.preventDefault();
        links[(at + step + links.length) % links.length].focus();
      } else if (event.key === "Escape") {
        suggestions.replaceChildren();
        search.focus();
      }
    });
    /* A newer list may come when one of the older is chosen already: what is chosen stays, or typing goes on. */
    let chosen = null;
    suggestions.addEventListener("htmx:beforeSwap", () => {
      chosen = suggestions.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    });
    suggestions.addEventListener("htmx:afterSwap", () => {
      if (chosen === null) return;
      const same = [...suggestions.querySelectorAll("a")].find((link) => link.getAttribute("href") === chosen);
      /* The list is only shown while something in it, or the search, has the focus. */
      search.focus();
      if (same) same.focus();
    });
  }

  /* --- scanner and keys ---------------------------------------------------------------------------------------------------- */

  const BARCODE_DIGITS = 26;
  /* So many digits in a burst come from a scanner, whatever it read: no key that ends them may press a button. */
  const SCANNED_DIGITS = 8;
  /* A scanner's keys are closer than this, and a person's are not. */
  const BURST_GAP_MS = 120;
  /* A busy computer may hold one key back this long in the middle of a barcode, and the rest then comes at once. */
  const STALL_MS = 1000;
  let burst = "";
  let burstFrom = 0;
  let burstAt = 0;
  let burstEnd = 0;
  let hurried = false;

  /* People do not type 26 digits in a row at eight a second, even after a flying start; scanners do. */
  function goesOn(now) {
    return now - burstAt <= STALL_MS && now - burstFrom <= (burst.length * BURST_GAP_MS) / 2 + STALL_MS;
  }

  function digitOf(event) {
    if (/^[0-9]$/.test(event.key)) return event.key;
    const persian = "۰۱۲۳۴۵۶۷۸۹".indexOf(event.key);
    if (persian >= 0) return String(persian);
    const arabic = "٠١٢٣٤٥٦٧٨٩".indexOf(event.key);
    if (arabic >= 0) return String(arabic);
    /* A scanner is a keyboard of its own: whatever layout the computer puts over it, the key it pressed is the digit's.
       A key whose name is long is no letter: the number pad without its lock. */
    const pressed = event.key.length === 1 && /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    return pressed ? pressed[1] : "";
  }

  /* Barcodes for the page that takes one after another; each waits until the one before is in the page. */
  const scanned = [];

  function takeScanned() {
    const form = document.querySelector("form[data-scan]");
    if (!form || !scanned.length || form.classList.contains("htmx-request")) return;
    form.elements[form.dataset.scan].value = scanned.shift();
    form.requestSubmit();
  }

  body.addEventListener("htmx:afterSettle", takeScanned);

  function openBarcode() {
    const digits = burst;
    burst = "";
    if (document.querySelector("form[data-scan]")) {
      scanned.push(digits);
      takeScanned();
    } else location.assign(`${body.dataset.barcode}?barcode=${digits}`);
  }

  function hearScanner(event) {
    const digit = digitOf(event);
    const now = event.timeStamp;
    if (digit) {
      hurried = now - burstAt <= BURST_GAP_MS;
      if (burst && goesOn(now)) burst += digit;
      else [burst, burstFrom] = [digit, now];
      burstAt = now;
      clearTimeout(burstEnd);
      /* Some scanners send no Enter: a short silence ends the barcode as well. */
      if (burst.length === BARCODE_DIGITS) burstEnd = setTimeout(openBarcode, 4 * BURST_GAP_MS);
      return false;
    }
    const ends = event.key === "Enter" || event.key === "Tab";
    if (ends && burst.length === BARCODE_DIGITS && now - burstAt <= STALL_MS) {
      clearTimeout(burstEnd);
      event.preventDefault();
      event.stopPropagation();
      openBarcode();
      return true;
    }
    if (ends && burst.length >= SCANNED_DIGITS && hurried && now - burstAt <= STALL_MS && !typing(event.target)) {
      clearTimeout(burstEnd);
      burst = "";
      event.preventDefault();
      event.stopPropagation();
      return true;
    }
    if (event.key.length === 1 || ends) {
      clearTimeout(burstEnd);
      burst = "";
    }
    return false;
  }

  const PLACES = {
    b: "/",
    d: "/day",
    f: "/services/car_fines",
    g: "/bills/group",
    h: "/history/payments",
    i: "/inquiries/new",
    k: "/bills/paid",
    s: "/services",
  };

  /* A key is the one that carries its letter, also where the keyboard is set to Persian. */
  function letterOf(event) {
    if (/^[a-z?/]$/.test(event.key)) return event.key;
    if (event.key === "؟") return "?";
    const pressed = !event.shiftKey && event.key.length === 1 && /^Key([A-Z])$/.exec(event.code);
    return pressed ? pressed[1].toLowerCase() : event.key;
  }

  /* A field of digits takes no letters, so that a letter typed there is a key like any other. */
  function typing(target, key) {
    if (!(target instanceof HTMLElement)) return false;
    if (target.matches("input.digits") && /^[a-z?/]$/.test(key)) return false;
    return target.isContentEditable || target.matches("input:not([type=radio], [type=checkbox]), select, textarea");
  }

  /* What a single key does waits a moment and is dropped when another key follows: nothing of a scanner's burst, digits
     or letters, may choose, press or lead anywhere. */
  let waiting = 0;
  let lastKeyAt = 0;

  function soon(event, act) {
    const alone = event.timeStamp - lastKeyAt > BURST_GAP_MS && !event.repeat;
    if (alone) waiting = setTimeout(act, 2 * BURST_GAP_MS);
  }

  function actOn(event, key) {
    const digit = event.shiftKey ? "" : digitOf(event);
    const choice = digit && document.querySelector(`[data-choice="${digit}"]`);
    const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (choice) {
      soon(event, () => {
        const now = document.querySelector(`[data-choice="${digit}"]`);
        if (!now) return;
        if (now.matches("input")) now.checked = true;
        else now.click();
        now.focus();
      });
    } else if (found && found.matches("input, select, textarea")) {
      event.preventDefault();
      found.focus();
      if (found.select) found.select();
    } else if (found) {
      event.preventDefault();
      soon(event, () => {
        const now = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
        if (now && !now.disabled) now.click();
      });
    } else if (key === "?") {
      event.preventDefault();
      document.getElementById("keys").showModal();
    } else if (Object.hasOwn(PLACES, key)) {
      event.preventDefault();
      soon(event, () => location.assign(PLACES[key]));
    }
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (!body.dataset.barcode || event.ctrlKey || event.altKey || event.metaKey) return;
      if (document.querySelector("#lock[open]")) return;
      clearTimeout(waiting);
      const key = letterOf(event);
      if (!hearScanner(event) && !typing(event.target, key) && !document.querySelector("dialog[open]")) actOn(event, key);
      if (event.key.length === 1) lastKeyAt = event.timeStamp;
    },
    true,
  );
})();

/* --- the lock: comes over the page when nobody is there, and keeps what was typed ----------------------------------- */

(() => {
  const lock = document.getElementById("lock");
  if (!lock || !lock.showModal) return;
  const form = lock.querySelector('form[action="/unlock"]');
  const said = form.querySelector("[role=alert]");
  const password = form.elements.password;
  const BY_SCRIPT = { "X-Daftar-Part": "lock" };
  const LOCKED = 423;
  /* Told no more often than this that somebody is here; the box counts from what it was told last. */
  const TELL_MS = 20000;
  let toldAt = 0;
  let here = false;
  let timer = 0;
  let shut = false;

  const send = (address) =>
    fetch(address, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: BY_SCRIPT, redirect: "manual" });

  function close() {
    shut = true;
    if (lock.open) return;
    password.value = "";
    said.hidden = true;
    lock.showModal();
    password.focus();
  }

  function open() {
    shut = false;
    lock.close();
    for (const kind of ["payment", "inquiry", "printer", "terminal", "line", "notice"]) {
      for (const name of [`daftar:${kind}`, `daftar:${kind}-any`]) document.body.dispatchEvent(new CustomEvent(name));
    }
    tell();
  }

  /* `left` is the box's own count: another window of the same person may have been used meanwhile. */
  async function hear(answer) {
    if (answer.status === LOCKED || answer.type === "opaqueredirect") return close();
    const left = answer.ok ? await answer.text() : "";
    clearTimeout(timer);
    if (left !== "") timer = setTimeout(ask, Number(left) + 500);
  }

  const ask = () => (here ? tell() : fetch("/presence", { headers: BY_SCRIPT }).then(hear, () => (timer = setTimeout(ask, TELL_MS))));

  function tell() {
    here = false;
    toldAt = performance.now();
    send("/presence").then(hear, () => (timer = setTimeout(ask, TELL_MS)));
  }

  function noted() {
    if (lock.open || here) return;
    here = true;
    const wait = TELL_MS - (performance.now() - toldAt);
    if (wait <= 0) tell();
    else setTimeout(() => here && tell(), wait);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let words = document.querySelector("#lost span").textContent;
    try {
      const answer = await send("/unlock");
      if (answer.ok) return open();
      /* The box was started anew, or the person may not come in any more: only a fresh sign-in leads on. */
      if (answer.type === "opaqueredirect" || answer.status === 403) return location.assign("/sign-in");
      words = await answer.text();
    } catch {
      /* The box cannot be reached: what is said says so. */
    }
    said.lastElementChild.textContent = words;
    said.hidden = false;
    password.value = "";
    password.setAttribute("aria-invalid", "true");
    password.focus();
  });
  /* Escape closes dialogs, this one never; browsers that insist find it open again. */
  lock.addEventListener("cancel", (event) => event.preventDefault());
  lock.addEventListener("close", () => shut && close());
  lock.addEventListener("keydown", (event) => event.key === "Escape" && event.preventDefault());

  const now = document.getElementById("lock-now");
  now.addEventListener("submit", (event) => {
    event.preventDefault();
    now.removeAttribute("data-sent");
    send("/lock").then(close, close);
  });
  document.addEventListener("htmx:responseError", (event) => event.detail.xhr.status === LOCKED && close());
  for (const name of ["keydown", "pointerdown", "pointermove", "wheel"]) document.addEventListener(name, noted, { capture: true, passive: true });

  toldAt = performance.now();
  if (lock.dataset.left !== "") timer = setTimeout(ask, Number(lock.dataset.left) + 500);
})();
