// Keeps the progress of an import or a campaign up to date. Without it the page is reloaded by hand.
"use strict";
(() => {
  const box = document.querySelector("[data-progress-url]");
  if (!box) return;
  const bar = box.querySelector("progress");
  const text = box.querySelector("[data-progress-text]");
  const began = box.dataset.state;
  let wait = 1000;

  async function ask() {
    if (document.hidden) {
      window.setTimeout(ask, 2000);
      return;
    }
    try {
      const answer = await fetch(box.dataset.progressUrl, { headers: { Accept: "application/json" } });
      if (answer.ok && !answer.redirected) {
        const now = await answer.json();
        if (now.state !== began) {
          window.location.reload();
          return;
        }
        wait = now.state === "paused" ? 5000 : 1500;
        if (now.total) {
          bar.max = now.total;
          bar.value = now.done;
        }
        if (text.textContent !== now.text) text.textContent = now.text;
        for (const figure of box.querySelectorAll("[data-figure]")) {
          const value = now.figures[figure.dataset.figure];
          if (value !== undefined && figure.textContent !== value) figure.textContent = value;
        }
      } else {
        wait = 10000;
      }
    } catch {
      wait = 10000; // the server is away; it may come back
    }
    window.setTimeout(ask, wait);
  }
  window.setTimeout(ask, wait);
})();
