"use strict";

// The servers' near caches: the entries of each, the rest of its lease, and the button that cuts its backplane.

// How often the bars of the leases are drawn, in milliseconds.
const DRAW = 100;

function takeCopies(card, copies) {
  card.copies = { ...copies, leaseEnds: performance.now() + (copies.lease_left_ms ?? 0) };
  showCopies(card);
}

function showAllCopies() {
  for (const card of cards.values()) {
    showCopies(card);
  }
}

function showCopies(card) {
  const { copies } = card;
  const left = copies ? Math.max(0, copies.leaseEnds - performance.now()) : 0;
  fill(card, "copies", card.unreachable ? silent() : ofCopies(copies, left));
  const hasLink = copies !== null && copies.link !== "none";
  const lease = card.root.querySelector(".lease");
  lease.hidden = !hasLink;
  lease.firstElementChild.style.transform = `scaleX(${hasLink ? Math.min(1, left / copies.lease_ms) : 0})`;
  const link = card.root.querySelector(".link");
  link.hidden = !hasLink;
  set(link, `${copies?.link === "cut" ? "Mend" : "Cut"} the backplane of ${card.server.name}`);
  if (hasLink) {
    byId("try-link").hidden = false;
  }
}

function ofCopies(copies, left) {
  if (copies === null) {
    return { mood: "calm", state: "…", detail: "" };
  }
  const mood = copies.copies > 0 ? "good" : "calm";
  const state = copies.copies === 1 ? "1 copy" : `${copies.copies} copies`;
  const served = copies.served === 1 ? "1 read served" : `${copies.served} reads served`;
  if (copies.link === "none") {
    return { mood, state, detail: `${served}; each dies after ${copies.max_age_ms / 1000} s` };
  }
  if (copies.link === "cut") {
    return left > 0
      ? { mood: "wait", state, detail: "Backplane cut: the lease runs out" }
      : { mood: "wait", state: "Serves none", detail: `Backplane cut, no lease: ${state} of no use` };
  }
  return left > 0 ? { mood, state, detail: served } : { mood: "calm", state: "Serves none yet", detail: "No lease yet" };
}

async function cutOrMend(card) {
  const answer = await ask(card, card.copies.link === "cut" ? "/demo/link/mend" : "/demo/link/cut", { method: "POST" });
  if (answer?.status === 200) {
    takeCopies(card, answer.body);
  } else if (answer) {
    answer.say(`${answer.status}: ${inWords(answer.body)}`);
  }
}
