"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const text = document.getElementById("text");
  const boxes = [...form.querySelectorAll("[name=kind]")];
  const shown = document.getElementById("shown");
  const cards = [...document.querySelectorAll(".card")].map((card) => ({
    card,
    title: card.querySelector("h3").textContent.toLowerCase(),
    entries: [...card.querySelectorAll(".entry")].map((entry) => ({
      entry,
      kind: entry.dataset.kind,
      text: entry.textContent.toLowerCase(),
    })),
  }));

  function apply() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kinds = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let count = 0;
    for (const { card, title, entries } of cards) {
      let found = false;
      for (const one of entries) {
        const fits = kinds.has(one.kind)
          && words.every((word) => title.includes(word) || one.text.includes(word));
        one.entry.hidden = !fits;
        found ||= fits;
      }
      card.hidden = !found;
      count += found;
    }
    shown.textContent = `${count} of ${cards.length} companies shown`;
  }

  function reset() {
    text.value = "";
    for (const box of boxes) box.checked = true;
    apply();
  }

  // A link to a card must lead there, whatever the filter hides.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#company-']");
    if (link && document.querySelector(link.hash)?.hidden) reset();
  });
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("all").addEventListener("click", reset);
  form.hidden = false;
  apply();
})();
