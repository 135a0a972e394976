// Looks over a page as a careful reader with any browser would; returns what is wrong with it, in words.
() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const piece = (element) => element.outerHTML.slice(0, 90);

  const root = document.documentElement;
  if (!["fa", "en"].includes(root.lang)) faults.push(`language: ${root.lang}`);
  if (root.dir !== (root.lang === "fa" ? "rtl" : "ltr")) faults.push(`direction: ${root.dir}`);
  if (!document.title.trim()) faults.push("no title");
  if (root.scrollWidth > root.clientWidth) faults.push(`wider than the window: ${root.scrollWidth}`);

  for (const field of all("input:not([type=hidden], [hidden]), select, textarea")) {
    const named = field.labels.length || field.getAttribute("aria-label") || field.getAttribute("aria-labelledby");
    if (!named) faults.push(`no label: ${piece(field)}`);
  }
  for (const picture of all("img:not([alt]), [role=img]:not([aria-label], [aria-labelledby])")) {
    faults.push(`no words for a picture: ${piece(picture)}`);
  }
  for (const pressed of all("a[href], button, summary").filter(shown)) {
    const name = pressed.getAttribute("aria-label") || pressed.textContent.trim();
    if (!name) faults.push(`no name: ${piece(pressed)}`);
  }

  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) faults.push(`twice the id ${id}`);
  for (const attribute of ["for", "aria-labelledby", "aria-describedby"]) {
    for (const element of all(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(" ")) {
        if (!document.getElementById(id)) faults.push(`${attribute} names nothing: ${id}`);
      }
    }
  }

  let level = 0;
  if (all("h1").filter((heading) => !heading.closest("dialog")).length !== 1) faults.push("not one h1");
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter((one) => one.checkVisibility())) {
    const here = Number(heading.tagName[1]);
    if (here > level + 1) faults.push(`h${here} after h${level}: ${heading.textContent.trim().slice(0, 40)}`);
    level = here;
  }
  if (all("main").length !== 1) faults.push("not one main");

  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = text;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => {
    const parts = rgb.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  // null: a picture or something half transparent lies behind, which this does not judge.
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      const found = colour(style.backgroundColor);
      if (found[3] > 250) return found;
      if (found[3] > 5) return null;
    }
    return colour("white");
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const foreign = new Set();
  const pale = new Set();
  while (texts.nextNode()) {
    const words = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (!words || element.closest("script, style, noscript, svg, .unseen, :disabled") || !shown(element)) continue;
    // What is typed or compared with paper is Latin and says so, and names are as people gave them; all else in a
    // Persian page is Persian, but for three names that Persian has no others for.
    const code = element.closest(".ltr, kbd, code, pre, bdi, [lang=en], [dir=auto]");
    const persian = words.replace(/\b(USB|QR|PIN)\b/g, "");
    if (root.lang === "fa" && !code && /[A-Za-z]{2,}/.test(persian)) foreign.add(words.slice(0, 60));
    if (root.lang === "en" && !code && !element.closest("[lang=fa]") && /[آ-ی]/.test(words)) foreign.add(words.slice(0, 60));
    const ground = behind(element);
    if (ground === null) continue;
    const style = getComputedStyle(element);
    const [ink, paper] = [light(colour(style.color)), light(ground)];
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5)) pale.add(`${contrast.toFixed(2)} ${words.slice(0, 40)}`);
  }
  for (const words of foreign) faults.push(`another language: ${words}`);
  for (const words of pale) faults.push(`pale: ${words}`);
  return faults;
}
