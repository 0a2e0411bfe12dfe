// Reads a JSON list of texts and prints what sms-segments-calculator finds in each.
"use strict";
const { SegmentedMessage } = require("sms-segments-calculator");

const texts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const found = texts.map((text) => {
  const message = new SegmentedMessage(text);
  const bits = message.encodingName === "GSM-7" ? 7 : 16;
  return { encoding: message.encodingName, units: message.messageSize / bits, parts: message.segments.length };
});
process.stdout.write(JSON.stringify(found));
