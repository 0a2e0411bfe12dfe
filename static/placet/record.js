/* The recruiter's page without reloads: words by language, brands in place, what is on record, saving. */
(() => {
  "use strict";

  const start = (root) => {
    root.classList.add("record--js");
    const landing = root.querySelector("[data-focus]");
    const form = root.querySelector("form[data-lookup]");
    if (form) asking(root, form);
    const wrong = root.querySelector("[aria-invalid=true], .wrong");
    const alarm = root.querySelector("[role=alert]");
    if (wrong) {
      if (!wrong.matches("input, select")) wrong.tabIndex = -1;
      wrong.focus();
      wrong.scrollIntoView({ block: "center" });
    } else if (alarm) {
      alarm.tabIndex = -1;
      alarm.focus();
    }
    return landing;
  };

  const asking = (root, form) => {
    const all = (selector) => [...form.querySelectorAll(selector)];
    const one = (selector) => form.querySelector(selector);
    const value = (name) => one(`[name="${name}"]:checked`)?.value ?? "";
    const radios = () => all('[name^="answer_"]');
    const say = (text) => {
      one("[data-status]").textContent = text;
      one("[data-status]").hidden = !text;
    };

    // --- answers
    const count = () => {
      for (const group of all("[data-brand]")) {
        const n = group.querySelectorAll(":checked").length;
        const badge = one(`[name=show_brand][value="${group.dataset.brand}"] [data-count]`);
        if (badge) badge.textContent = n ? `· ${n} ${form.dataset.answered}` : "";
      }
      for (const button of all("[data-clear]")) button.hidden = !value(button.dataset.clear);
    };
    const clear = (inputs) => inputs.forEach((input) => { input.checked = false; });

    // --- the words, by language
    const language = one("[name=language]");
    const words = () => {
      for (const script of all("[data-script]")) script.hidden = script.dataset.script !== language.value;
      for (const question of all("[data-question]")) {
        const missing = question.querySelector("[data-script]:not([hidden]) [data-unavailable]");
        question.querySelectorAll('[type="radio"]').forEach((radio) => { radio.disabled = Boolean(missing); });
      }
    };
    language.addEventListener("change", () => {
      const given = radios().some((radio) => radio.checked);
      clear([...radios(), one("[name=verbatim]")]);
      one("[name=asked_in]").value = language.value;
      words();
      count();
      say(given ? form.dataset.askingAgain : "");
    });

    // --- what depends on kind and method
    const dependent = () => {
      one("[data-freedom]").hidden = !["applicant", "employee"].includes(value("kind"));
      one("[data-spoken]").hidden = value("method") === "paper";
      one("[data-signed]").hidden = value("method") !== "paper";
    };

    // --- brands
    const show = (slug) => {
      one("[name=brand]").value = slug;
      for (const group of all("[data-brand]")) group.hidden = group.dataset.brand !== slug;
      for (const button of all("[name=show_brand]")) button.setAttribute("aria-pressed", String(button.value === slug));
    };

    // --- who has the number
    let asked = 0;
    let timer = 0;
    const number = one("[name=number]");
    const person = one("[data-person]");
    const known = ({ person: html = "", standings = {}, error = "" }) => {
      person.innerHTML = html;
      if (error) {
        const line = document.createElement("p");
        line.className = "wrong";
        line.textContent = error;
        person.replaceChildren(line);
      }
      for (const slot of all("[data-standing]")) slot.innerHTML = standings[slot.dataset.standing] ?? "";
    };
    const lookup = async () => {
      clearTimeout(timer);
      const turn = ++asked;
      if (!number.value.trim()) return known({});
      const body = new FormData();
      for (const name of ["number", "country", "csrfmiddlewaretoken"]) body.set(name, one(`[name=${name}]`).value);
      try {
        const response = await fetch(form.dataset.lookup, { method: "POST", body });
        if (response.ok && turn === asked) known(await response.json());
      } catch {
        // Without a connection the server says the same after saving.
      }
    };
    number.addEventListener("input", () => {
      clearTimeout(timer);
      if (number.value.replace(/\D/g, "").length >= 8) timer = setTimeout(lookup, 400);
    });
    number.addEventListener("change", lookup);
    one("[name=country]").addEventListener("change", lookup);

    form.addEventListener("change", () => { count(); dependent(); });
    form.addEventListener("click", (event) => {
      const clearing = event.target.closest("[data-clear]");
      if (clearing) {
        clear(all(`[name="${clearing.dataset.clear}"]`));
        count();
      }
    });

    // --- saving: once, in place
    let saving = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = event.submitter;
      if (button?.name === "show_brand") return show(button.value);
      if (saving) return;
      saving = true;
      const body = new FormData(form);
      body.set(button?.name === "next" ? "next" : "save", "1");
      const buttons = all(".bar button");
      buttons.forEach((b) => { b.disabled = true; });
      say(form.dataset.saving);
      try {
        const response = await fetch(form.action, { method: "POST", body });
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const next = page.getElementById("record");
        if (!next) throw new Error("not our page");
        document.title = page.title;
        history.replaceState(null, "", response.url);
        root.replaceWith(document.adoptNode(next));
        const landing = start(next);
        if (landing && response.status < 400) {
          window.scrollTo(0, 0);
          landing.focus();
        }
      } catch {
        saving = false;
        buttons.forEach((b) => { b.disabled = false; });
        say(form.dataset.failed);
        one("[data-status]").scrollIntoView({ block: "center" });
      }
    });

    words();
    count();
    dependent();
  };

  const root = document.getElementById("record");
  if (root) start(root);
})();
