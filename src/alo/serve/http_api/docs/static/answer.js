// What came back, shown: the summary, probabilities, output tables and pictures, or what is wrong.

import { make } from "./elements.js";

const ENGLISH = {
  answer: "Answer",
  bytes_missing: "It cannot be fetched any more.",
  download: "Download",
  first_rows: "its first rows",
  fix: "to do",
  outputs: "Outputs",
  probability: "probability",
  request: "request",
  fail: "failed",
  session: "The session is over. Sign in in another tab, then send again; what you typed is kept.",
  traceback: "Traceback",
  unreachable: "The service cannot be reached. It may have ended; what you typed is kept.",
  where: "where",
};
const PICTURES = {
  png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp",
  bmp: "image/bmp", svg: "image/svg+xml",
};
const MOST_PREVIEWS = 20; // outputs
const MOST_PICTURE = 10_000_000; // bytes
const MOST_TABLE = 200_000; // bytes that are read of one
const ROWS = 20;
const COLUMNS = 50;
const LABELS = 50;

export function answerShown(response, body, config) {
  const words = { ...ENGLISH, ...config.words };
  const state = body?.status ?? (response ? String(response.status) : "");
  const heading = make("h3", {}, `${words.answer} `,
    make("span", { class: response?.ok && state === "success" ? "good" : "bad" }, words[state] ?? state));
  if (!response) return [heading, failure({ what: words.unreachable }, words)];
  if (response.status === 401 && config.session) return [heading, failure({ what: words.session }, words)];
  const parts = [heading];
  if (body?.error) parts.push(failure(problem(body), words));
  else if (!response.ok) parts.push(failure({ what: `HTTP ${response.status}` }, words));
  if (body?.summary) parts.push(...summary(body.summary, words));
  if (body?.outputs?.length) parts.push(outputs(body.outputs, config, words));
  if (body?.id) parts.push(make("p", {}, `${words.request} `, make("code", { "data-request": body.id }, body.id)));
  return parts;
}

// A service says it in one text, the studio in parts.
function problem({ error, fields }) {
  const what = error.message ?? error.what ?? "";
  const others = (fields ?? []).map((each) => `${each.field}: ${each.what}`);
  return {
    what: [error.code && error.name !== "RefusedError" ? `${error.code} ${error.name}: ${what}` : what, ...others].join("\n"),
    where: error.where, fix: error.fix, traceback: error.traceback,
  };
}

function failure({ what, where, fix, traceback }, words) {
  return make("div", { class: "failure", role: "alert" }, make("p", { class: "reason" }, what),
    where ? make("p", {}, `${words.where}: `, make("code", {}, where)) : null,
    fix ? make("p", {}, `${words.fix}: ${fix}`) : null,
    traceback ? make("details", {}, make("summary", {}, words.traceback),
      make("pre", { tabindex: "0", "aria-label": words.traceback }, traceback)) : null);
}

const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function summary(content, words) {
  const { probability, ...others } = content;
  const list = make("dl", {}, ...Object.entries(others).filter(([, value]) => value !== "" && value !== null)
    .flatMap(([key, value]) => [make("dt", {}, key), make("dd", { "data-summary": key }, plain(value))]));
  const labels = probability && typeof probability === "object"
    ? Object.entries(probability).filter(([, value]) => typeof value === "number") : [];
  labels.sort((one, other) => other[1] - one[1]);
  return labels.length ? [list, probabilities(labels.slice(0, LABELS), words)] : [list];
}

function probabilities(labels, words) {
  return make("table", { class: "probabilities" }, make("caption", {}, words.probability), make("tbody", {},
    ...labels.map(([label, value]) => make("tr", {}, make("th", { scope: "row" }, label),
      make("td", {}, bar(value)), make("td", { class: "number" }, String(value))))));
}

const SVG = "http://www.w3.org/2000/svg";

function bar(value) {
  const drawn = document.createElementNS(SVG, "svg");
  for (const [key, text] of Object.entries({ class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" })) {
    drawn.setAttribute(key, text);
  }
  for (const [kind, width] of [["", 100], ["full", 100 * Math.min(Math.max(value, 0), 1)]]) {
    const part = document.createElementNS(SVG, "rect");
    for (const [key, text] of Object.entries({ class: kind, width, height: 8 })) part.setAttribute(key, text);
    drawn.append(part);
  }
  return drawn;
}

// ---- outputs

function outputs(files, config, words) {
  const list = make("ul", { class: "outputs" }, ...files.map((file, at) => {
    const button = make("button", { type: "button", "data-action": "download", "aria-label": `${words.download} ${file.name}` }, words.download);
    const place = make("div", { "data-output": file.name });
    button.addEventListener("click", () => download(file, config).catch(() => { place.textContent = words.bytes_missing; }));
    if (at < MOST_PREVIEWS) {
      preview(file, place, config, words).catch(() => { place.textContent = words.bytes_missing; });
    }
    return make("li", {}, `${file.name} `, button, place);
  }));
  return make("div", {}, make("h4", {}, words.outputs), list);
}

async function fetched(file, config) {
  const response = await config.fetch(file.url);
  if (!response.ok) throw new Error(String(response.status));
  return response;
}

async function download(file, config) {
  const link = make("a", { download: file.name });
  link.href = URL.createObjectURL(await (await fetched(file, config)).blob());
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function preview(file, place, config, words) {
  const suffix = file.name.split(".").pop().toLowerCase();
  if (suffix === "csv") {
    const rows = parsed(await start(await fetched(file, config)));
    place.append(table(rows, file.name, words));
  } else if (PICTURES[suffix]) {
    const bytes = await (await fetched(file, config)).blob();
    if (bytes.size > MOST_PICTURE) return;
    const picture = make("img", { class: "picture", alt: file.name });
    picture.src = await address(new Blob([bytes], { type: PICTURES[suffix] }));
    place.append(picture);
  }
}

// The first bytes of a file, whose rest is not waited for.
async function start(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0; size < MOST_TABLE;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    text += decoder.decode(value, { stream: true });
  }
  reader.cancel();
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

function address(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = reject;
    reader.readAsDataURL(blob);
  });
}

// The first rows of a CSV.
function parsed(text) {
  const rows = [];
  let row = [];
  let cell = "";
  let inQuotes = false;
  for (let at = 0; at < text.length && rows.length <= ROWS; at++) {
    const sign = text[at];
    if (inQuotes) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') cell += text[++at];
      else inQuotes = false;
    } else if (sign === '"') inQuotes = true;
    else if (sign === ",") row.push(cell), (cell = "");
    else if (sign === "\n") {
      rows.push([...row, cell]);
      row = [];
      cell = "";
    } else if (sign !== "\r") cell += sign;
  }
  if (rows.length <= ROWS && (cell || row.length)) rows.push([...row, cell]);
  return rows;
}

function table([header = [], ...rows], name, words) {
  const cells = (row) => row.slice(0, COLUMNS);
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${name}: ${words.first_rows}` },
    make("table", {}, make("thead", {}, make("tr", {}, ...cells(header).map((each) => make("th", { scope: "col" }, each)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row).map((each) => make("td", { class: "cell" }, each)))))));
}
