// The live preview of a campaign's texts. Without it the page works: saving shows the same findings.
//
// What the page must have:
//   [data-preview-url]       an element inside the form, around all that follows; the address answers a POST
//   textarea[data-language]  the text in a language
//   [data-preview]           an empty element for the previews; one panel per language, the one being written is shown
//   fields named purpose, audience, sender and language (for everybody else), and csrfmiddlewaretoken, in the form
//
// What is posted: language, text; purpose, audience, sender (ids, may be empty); fallback (the field "language");
// written (repeated): the languages that have a text.
//
// What is answered: campaigns/preview.py, Preview.as_json(), for the language posted. When purpose, audience or sender
// is not chosen or not one the person may use: preview.incomplete(language).as_json(). All words come from there:
//   {language, name, first, later: {label, text, encoding, units, parts, capacity, offending: [], summary} or null,
//    replacements: [{found, suggested, label}], reader, readers, per_text, total, currency, cost,
//    findings: [{level: "stop" | "warn", word, sentence, code}], placeholders: [{text, label}]}
"use strict";
(() => {
  const root = document.querySelector("[data-preview-url]");
  const form = root && root.closest("form");
  const place = root && root.querySelector("[data-preview]");
  if (!form || !place) return;
  const areas = [...root.querySelectorAll("textarea[data-language]")];
  const narrow = window.matchMedia("(max-width: 1023px)");
  const PAUSE = 400; // milliseconds without typing
  const panels = new Map();
  const pending = new Map();
  const waiting = new Map();
  place.setAttribute("aria-live", "off"); // the measure below speaks for itself; the whole text would drown it

  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text) element.textContent = text;
    return element;
  }

  function button(text, title, act) {
    const made = make("button", "composer__button", text);
    made.type = "button";
    if (title) made.title = title;
    made.addEventListener("click", act);
    return made;
  }

  const filled = (area) => area.value.trim() !== "";

  // --- asking -------------------------------------------------------------------------------------------
  function question(area) {
    const asked = new URLSearchParams();
    const value = (name) => (form.elements[name] ? form.elements[name].value : "");
    asked.set("language", area.dataset.language);
    asked.set("text", area.value);
    for (const name of ["purpose", "audience", "sender"]) asked.set(name, value(name));
    asked.set("fallback", value("language"));
    for (const other of areas) if (filled(other)) asked.append("written", other.dataset.language);
    return asked;
  }

  async function ask(area) {
    const language = area.dataset.language;
    pending.get(language)?.abort();
    const stop = new AbortController();
    pending.set(language, stop);
    try {
      const answer = await fetch(root.dataset.previewUrl, {
        method: "POST",
        headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
        body: question(area),
        signal: stop.signal,
      });
      if (answer.ok && !answer.redirected) draw(area, await answer.json());
    } catch {
      // typed on, or the server is away: the next pause asks again
    }
  }

  function soon(area, pause = PAUSE) {
    window.clearTimeout(waiting.get(area));
    waiting.set(area, window.setTimeout(() => ask(area), pause));
  }

  // --- showing ------------------------------------------------------------------------------------------
  function panel(area) {
    const language = area.dataset.language;
    if (!panels.has(language)) {
      const made = make("section", "composer__panel");
      made.lang = document.documentElement.lang;
      made.hidden = true;
      panels.set(language, made);
      place.append(made);
    }
    return panels.get(language);
  }

  function show(area) {
    const shown = panel(area);
    const home = narrow.matches ? area.parentElement : place; // on a phone under the text it shows
    if (shown.parentElement !== home) home.append(shown);
    for (const other of panels.values()) other.hidden = other !== shown;
  }

  function bubble(shown, language) {
    const found = make("p", "bubble");
    found.lang = language;
    const offending = new Set(shown.offending);
    let run = "";
    const flush = () => {
      if (run) found.append(run);
      run = "";
    };
    for (const character of shown.text) {
      if (offending.has(character)) {
        flush();
        found.append(make("mark", "offending", character));
      } else {
        run += character;
      }
    }
    flush();
    return found;
  }

  function measure(shown) {
    const box = make("p", "composer__measure");
    const meter = make("meter", "composer__meter");
    meter.max = shown.capacity;
    meter.value = shown.units;
    meter.setAttribute("aria-label", shown.summary);
    box.append(meter, make("span", "composer__summary", shown.summary));
    return box;
  }

  function findings(now) {
    const list = make("ul", "composer__findings");
    for (const finding of now.findings) {
      const item = make("li", `composer__finding composer__finding--${finding.level === "stop" ? "stop" : "warn"}`);
      item.append(make("strong", "", `${finding.word}: `), finding.sentence);
      list.append(item);
    }
    return list;
  }

  function offers(area, now) {
    const box = make("p", "composer__offers");
    for (const offer of now.replacements) {
      const act = () => {
        const at = area.selectionStart;
        area.value = area.value.replaceAll(offer.found, offer.suggested);
        area.setSelectionRange(at, at);
        area.focus();
        area.dispatchEvent(new Event("input", { bubbles: true }));
      };
      box.append(button(offer.label, "", act));
    }
    return box;
  }

  function draw(area, now) {
    insertions(area, now.placeholders);
    const shown = panel(area);
    const parts = [make("h3", "", now.name)];
    for (const text of [now.first, now.later]) {
      if (text) parts.push(make("p", "composer__label", text.label), bubble(text, now.language), measure(text));
    }
    if (now.replacements.length) parts.push(offers(area, now));
    if (now.cost || now.reader) parts.push(make("p", "muted", [now.reader, now.cost].filter(Boolean).join(" ")));
    if (now.findings.length) parts.push(findings(now));
    shown.replaceChildren(...parts);
    if ([...panels.values()].every((other) => other.hidden)) show(area);
  }

  function insertions(area, placeholders) {
    if (area.dataset.insertions) return;
    area.dataset.insertions = "made";
    const box = make("p", "composer__insert");
    for (const { text, label } of placeholders) {
      const act = () => {
        area.focus();
        area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
        area.dispatchEvent(new Event("input", { bubbles: true }));
      };
      box.append(button(text, label, act));
    }
    area.after(box);
  }

  // --- when ---------------------------------------------------------------------------------------------
  for (const area of areas) {
    area.addEventListener("input", () => {
      show(area);
      soon(area);
    });
    area.addEventListener("focus", () => {
      show(area);
      if (!area.dataset.insertions) soon(area, 0);
    });
  }
  form.addEventListener("change", (event) => {
    if (!["purpose", "audience", "sender", "language"].includes(event.target.name)) return;
    for (const area of areas) if (filled(area)) soon(area, 0);
  });
  // Select2 and the like say so through jQuery only.
  if (window.django?.jQuery) {
    window.django.jQuery(form).on("select2:select", () => areas.filter(filled).forEach((area) => soon(area, 0)));
  }
  const written = areas.filter(filled);
  for (const area of written.length ? written : areas.slice(0, 1)) soon(area, 0);
})();
