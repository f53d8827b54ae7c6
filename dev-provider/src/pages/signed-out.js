"use strict";

// Goes on once every app has been told, or has had two seconds.
const frames = Array.from(document.querySelectorAll("iframe"));
const next = document.getElementById("next");
const loaded = frames.map(
  (frame) => new Promise((done) => frame.addEventListener("load", done, { once: true })),
);
const late = new Promise((done) => setTimeout(done, 2000));

if (next) {
  Promise.race([Promise.all(loaded), late]).then(() => location.replace(next.href));
}
