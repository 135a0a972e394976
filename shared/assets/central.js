/* Central's pages work without this. With it: rows are sifted as one types, a form is not sent twice, `/` searches. */
"use strict";

(() => {
  /* Digits and letters are compared in one spelling, as the server's search does. */
  const fold = (text) => text
    .replace(/[۰-۹]/g, (digit) => String("۰۱۲۳۴۵۶۷۸۹".indexOf(digit)))
    .replace(/[٠-٩]/g, (digit) => String("٠١٢٣٤٥٦٧٨٩".indexOf(digit)))
    .replace(/ي/g, "ی").replace(/ك/g, "ک").replace(/[٬,\u200c]/g, "").toLowerCase();

  for (const box of document.querySelectorAll("[data-sift]")) {
    box.addEventListener("input", () => {
      const wanted = fold(box.value.trim());
      for (const row of document.querySelectorAll("[data-sifted] > tbody > tr")) {
        row.hidden = wanted !== "" && !fold(row.textContent).includes(wanted);
      }
    });
  }
  if (document.querySelector("[data-sifted]") === null) {
    for (const label of document.querySelectorAll(".sift")) label.hidden = true;
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.hasAttribute("data-sent")) event.preventDefault();
    form.setAttribute("data-sent", "");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (event.target.closest("[data-print]")) window.print();
  });
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select")) return;
    const search = document.querySelector("[data-key='/']");
    if (search === null) return;
    event.preventDefault();
    search.focus();
  });
})();
