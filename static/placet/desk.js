// A conversation: the clock runs, new texts appear, and what is typed is counted. Without it the page is reloaded.
"use strict";
(() => {
  const clock = document.querySelector("[data-closes]");
  const thread = document.querySelector("[data-thread]");
  const form = document.querySelector("form[data-count]");
  if (!clock || !thread) return;
  const words = JSON.parse(clock.dataset.words);
  const closes = Date.parse(clock.dataset.closes);
  let over = closes <= Date.now();

  function tick() {
    const minutes = Math.floor((closes - Date.now()) / 60000);
    const badge = clock.querySelector(".badge");
    if (closes <= Date.now()) {
      if (!over) window.location.reload(); // the box goes with the last minute
      over = true;
      return;
    }
    const text = minutes >= 60 ? words.hours : words.minutes;
    const told = text.replace("{h}", Math.floor(minutes / 60)).replace("{m}", Math.max(1, minutes >= 60 ? minutes % 60 : minutes));
    if (badge && minutes < 1440 && badge.textContent !== told) badge.textContent = told;
  }
  tick();
  window.setInterval(tick, 5000);

  async function look() {
    try {
      const answer = await fetch(window.location.pathname);
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-thread]");
      if (fresh && fresh.innerHTML !== thread.innerHTML) {
        const more = fresh.children.length > thread.children.length;
        thread.replaceChildren(...fresh.children);
        if (more) thread.lastElementChild.scrollIntoView({ block: "end" });
      }
      const until = page.querySelector("[data-closes]");
      if (until && until.dataset.closes !== clock.dataset.closes) window.location.reload(); // the person wrote again
    } catch {
      // the server is away; the next look may find it
    }
  }
  if (!over) window.setInterval(() => document.hidden || look(), 10000);
  if (thread.lastElementChild) thread.lastElementChild.scrollIntoView({ block: "center" });

  if (!form) return;
  const box = form.querySelector("[data-reply]");
  const told = form.querySelector("[data-count-text]");
  let pause = 0;
  async function count() {
    if (!box.value.trim()) {
      told.textContent = "";
      return;
    }
    try {
      const answer = await fetch(form.dataset.count, { method: "POST", body: new FormData(form) });
      if (answer.ok && !answer.redirected) told.textContent = (await answer.json()).text;
    } catch {
      told.textContent = "";
    }
  }
  box.addEventListener("input", () => {
    window.clearTimeout(pause);
    pause = window.setTimeout(count, 300);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", () => form.querySelector("[type=submit]").setAttribute("disabled", ""));
})();
