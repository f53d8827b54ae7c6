"use strict";

// What happened before the page was opened is shown and not announced.
const opened = Date.now();
const MOST_LINES = 60;

const cards = new Map();
let about;
let lastSeen = 0;

const byId = (id) => document.getElementById(id);

async function begin() {
  const answer = await fetch("/demo.json");
  about = await answer.json();
  for (const [index, server] of about.servers.entries()) {
    cards.set(server.name, makeCard(server, index));
  }
  showProvider();
  watchAll();
  setInterval(showAll, 1000);
  setInterval(showAllCopies, DRAW);
}

function makeCard(server, index) {
  const next = about.servers[(index + 1) % about.servers.length];
  const root = byId("card").content.firstElementChild.cloneNode(true);
  const find = (selector) => root.querySelector(selector);
  const card = { server, next, root, state: null, copies: null, source: null, unreachable: false };

  const title = find("h3");
  title.id = `server-${server.name}`;
  root.setAttribute("aria-labelledby", title.id);
  find(".letter").textContent = server.name;
  find(".name").textContent = `Server ${server.name}`;
  if (server.name === about.here) {
    const here = document.createElement("span");
    here.className = "here";
    here.textContent = "this page is from here";
    title.append(here);
  }
  const address = find(".address");
  address.href = `${server.origin}/`;
  address.textContent = new URL(server.origin).host;

  const signIn = find(".sign-in");
  signIn.textContent = `Sign in on ${server.name}`;
  signIn.href = `${server.origin}/login`;
  const signOut = find(".sign-out");
  signOut.textContent = `Sign out on ${server.name}`;
  signOut.form.action = `${server.origin}/logout`;
  const call = find(".call");
  call.textContent = `Call the API through ${server.name}`;
  call.addEventListener("click", () => once(call, () => callApi(card)));
  const slow = find(".slow");
  slow.textContent = `Slow refresh on ${server.name}, then sign out on ${next.name}`;
  slow.addEventListener("click", () => once(slow, () => slowRefresh(card)));
  const link = find(".link");
  link.addEventListener("click", () => once(link, () => cutOrMend(card)));

  byId("cards").append(root);
  return card;
}

function showProvider() {
  const { issuer, for_development: forDevelopment, sign_out: signOut } = about.provider;
  byId("provider-text").textContent = forDevelopment
    ? `${issuer} is built in, for development: whoever types a name is signed in.`
    : issuer;
  if (signOut) {
    const link = byId("provider-sign-out");
    link.href = signOut;
    link.hidden = false;
  }
}

/* ---- what the servers say ---- */

function watchAll() {
  for (const card of cards.values()) {
    watch(card);
  }
}

function watch(card) {
  card.source?.close();
  const source = new EventSource(`${card.server.origin}/events`, { withCredentials: true });
  card.source = source;
  source.addEventListener("state", (event) => {
    card.state = JSON.parse(event.data);
    card.unreachable = false;
    showAll();
  });
  source.addEventListener("copies", (event) => {
    takeCopies(card, JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    card.unreachable = true;
    showAll();
  });
  // The servers all tell the same, so one is listened to.
  if (card.server.name === about.here) {
    source.addEventListener("told", (event) => tell(JSON.parse(event.data)));
  }
}

function tell(event) {
  if (event.id <= lastSeen) {
    return;
  }
  lastSeen = event.id;
  const isNews = event.at_ms >= opened;
  addLine(event, isNews);
  if (isNews) {
    byId("announcer").textContent = event.server ? `${event.server}: ${event.text}` : event.text;
  }
  // This browser may have another cookie now, and a stream goes on with the one that it began with.
  if (isNews && event.kind === "signed_in") {
    watchAll();
  }
}

function addLine(event, isNews) {
  const line = document.createElement("li");
  line.dataset.kind = event.kind;
  line.classList.toggle("fresh", isNews);
  const letter = document.createElement("span");
  letter.className = "letter";
  letter.textContent = event.server ?? "P";
  letter.title = event.server ? `Server ${event.server}` : "The provider";
  const body = document.createElement("div");
  const time = document.createElement("time");
  const at = new Date(event.at_ms);
  time.dateTime = at.toISOString();
  time.textContent = at.toLocaleTimeString([], { hour12: false });
  const text = document.createElement("span");
  text.className = "text";
  text.textContent = event.text;
  body.append(time, text);
  line.append(letter, body);
  const timeline = byId("timeline");
  timeline.prepend(line);
  while (timeline.childElementCount > MOST_LINES) {
    timeline.lastElementChild.remove();
  }
  byId("timeline-empty").hidden = true;
}

/* ---- what is shown ---- */

function showAll() {
  for (const card of cards.values()) {
    show(card);
  }
  showSummary();
}

function show(card) {
  const isSignedIn = card.state?.token_cache.state === "signed_in";
  fill(card, "token_cache", card.unreachable ? silent() : ofTokenCache(card.state?.token_cache));
  fill(card, "plain_cache", card.unreachable ? silent() : ofPlainCache(card.state?.plain_cache, isSignedIn));
  const focused = document.activeElement;
  card.root.querySelector(".sign-in").hidden = isSignedIn;
  card.root.querySelector(".sign-out").hidden = !isSignedIn;
  card.root.querySelector(".slow").hidden = !isSignedIn;
  if (focused?.hidden) {
    card.root.querySelector(".call").focus();
  }
}

function fill(card, cache, { mood, state, detail }) {
  const place = card.root.querySelector(`[data-cache="${cache}"]`);
  place.dataset.mood = mood;
  set(place.querySelector(".state"), state);
  set(place.querySelector(".detail"), detail);
}

function set(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function silent() {
  return { mood: "wait", state: "No answer", detail: "The server does not answer." };
}

function ofTokenCache(seen) {
  switch (seen?.state) {
    case "signed_in":
      return {
        mood: "good",
        state: `${seen.name} is signed in`,
        detail: seen.token ? `Token ${seen.token}, ${life(seen.expires_at_ms)}` : "No tokens",
      };
    case "signed_out":
      return { mood: "calm", state: "Signed out", detail: "Its tokens can't be read" };
    case "nobody":
      return { mood: "calm", state: "No user is signed in", detail: "No tokens" };
    case "unknown":
      return { mood: "wait", state: "Not known", detail: seen.message };
    default:
      return { mood: "calm", state: "…", detail: "" };
  }
}

function ofPlainCache(seen, isSignedIn) {
  switch (seen?.state) {
    case "holds":
      return isSignedIn
        ? { mood: "held", state: "Holds tokens", detail: `Token ${seen.token}` }
        : { mood: "bad", state: "Still holds tokens", detail: `Token ${seen.token} of ${seen.subject}` };
    case "empty":
      return { mood: "calm", state: "Holds nothing", detail: `No tokens of ${seen.subject}` };
    case "nobody":
      return { mood: "calm", state: "Holds nothing", detail: "No tokens" };
    case "unknown":
      return { mood: "wait", state: "Not known", detail: "The plain cache does not answer." };
    default:
      return { mood: "calm", state: "…", detail: "" };
  }
}

function life(expiresAt) {
  if (expiresAt === null) {
    return "no expiry told";
  }
  const seconds = Math.round((expiresAt - Date.now()) / 1000);
  if (seconds <= 0) {
    return "due: the next call refreshes it";
  }
  return seconds < 120 ? `good for ${seconds} s` : `good for ${Math.round(seconds / 60)} min`;
}

function showSummary() {
  const states = [...cards.values()].map((card) => card.state);
  if (states.some((state) => state === null)) {
    return;
  }
  const signedIn = [...cards.values()].filter((card) => card.state.token_cache.state === "signed_in");
  const tokensStay = states.some((state) => state.plain_cache.state === "holds");
  const summary = byId("summary");
  if (signedIn.length === cards.size) {
    summary.dataset.mood = "good";
    const names = signedIn.map((card) => card.server.name).join(", ");
    set(summary, `${signedIn[0].state.token_cache.name} is signed in on every server (${names}). Now sign out on any of them.`);
  } else if (signedIn.length > 0) {
    summary.dataset.mood = "calm";
    set(summary, "A sign-in or a sign-out is under way …");
  } else if (tokensStay) {
    summary.dataset.mood = "bad";
    set(summary, "Signed out everywhere with token-cache. The plain cache still holds the tokens, for every server.");
  } else if (states.some((state) => state.plain_cache.state === "empty" || state.token_cache.state === "signed_out")) {
    summary.dataset.mood = "calm";
    set(summary, "Signed out, on every server. Sign in again, and try the slow refresh.");
  } else {
    summary.dataset.mood = "calm";
    set(summary, "No user is signed in. Sign in on any server to begin.");
  }
}

/* ---- what one can do ---- */

async function once(button, work) {
  if (button.getAttribute("aria-disabled") === "true") {
    return;
  }
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

async function ask(card, path, options) {
  const answerLine = card.root.querySelector(".answer");
  answerLine.textContent = "";
  try {
    const answer = await fetch(card.server.origin + path, { credentials: "include", ...options });
    return { status: answer.status, body: await answer.json(), say: (text) => set(answerLine, text) };
  } catch {
    answerLine.textContent = `Server ${card.server.name} does not answer.`;
    return null;
  }
}

async function callApi(card) {
  const answer = await ask(card, "/api/me");
  if (answer?.status === 200) {
    const { account, tokens } = answer.body;
    const from = tokens.from === "near_cache" ? "from the near cache" : "read from the store";
    answer.say(`200: the API was called for ${account.name} with token ${tokens.token} (${tokens.state}, ${from}).`);
  } else if (answer) {
    answer.say(`${answer.status}: ${inWords(answer.body)}`);
  }
}

async function slowRefresh(card) {
  const answer = await ask(card, "/demo/slow-refresh", { method: "POST" });
  if (answer?.status === 202) {
    answer.say(`A refresh is in flight on ${card.server.name}. Signing out on ${card.next.name} …`);
    cards.get(card.next.name).root.querySelector("form").requestSubmit();
  } else if (answer) {
    answer.say(`${answer.status}: ${inWords(answer.body)}`);
  }
}

function inWords(body) {
  switch (body.error) {
    case "not_signed_in":
      return "no user is signed in.";
    case "signed_out":
      return "refused, this session has signed out.";
    default:
      return body.message ?? body.error;
  }
}

begin();
