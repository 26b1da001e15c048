// The call that the form makes, as curl and as Python: to be copied. The token is a variable's name.

import { make } from "./elements.js";

export function calls(words, copying) {
  const parts = { curl: part("curl", words), python: part("Python", words) };
  const element = make("details", {}, make("summary", {}, words.call),
    ...Object.values(parts).map((each) => each.element));
  let last = null;
  const draw = () => {
    if (!last || !element.open) return;
    parts.curl.show(curl(...last), copying);
    parts.python.show(python(...last), copying);
  };
  element.addEventListener("toggle", draw); // of a wide table the text is long
  const show = (...given) => {
    last = given;
    draw();
  };
  return { element, show };
}

function part(name, words) {
  const text = make("pre", { tabindex: "0", "aria-label": name, "data-call": name.toLowerCase() });
  const button = make("button", { type: "button", "data-action": "copy", "aria-label": `${words.copy} ${name}` }, words.copy);
  const element = make("div", {}, make("p", {}, `${name} `, button), text);
  const show = (content, copying) => {
    text.textContent = content;
    copying(button, content);
  };
  return { element, show };
}

// ---- curl

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(sent, call) {
  const words = ["curl"];
  if (call.token) words.push(`-H "authorization: Bearer $${call.token}"`);
  let url = call.url;
  if (sent.way === "rows") {
    words.push("-H 'content-type: application/json'", `-d ${quoted(json(sent))}`);
  } else if (sent.way === "csv") {
    words.push("-H 'content-type: text/csv'", `--data-binary ${quoted(sent.csv)}`);
    if (sent.hasArgs) url += `?args=${encodeURIComponent(sent.args)}`;
  } else {
    words.push(...names(sent).map((name) => `-F ${quoted(`files=@${name}`)}`));
    if (sent.hasArgs) words.push(`-F ${quoted(`args=${sent.args}`)}`);
  }
  return `${comment(call)}${[...words, quoted(url)].join(" \\\n  ")}`;
}

const comment = (call) => (call.note ? `# ${call.note}\n` : "");
const json = (sent) => `{"rows": ${sent.rows}${sent.hasArgs ? `, "args": ${sent.args}` : ""}}`;
const names = (sent) => (sent.files.length ? sent.files.map((each) => each.name) : ["FILE"]);

// ---- Python

function python(sent, call) {
  const lines = [];
  if (call.token) {
    lines.push(`headers={"authorization": f"Bearer {os.environ['${call.token}']}"},`);
  }
  if (sent.way === "rows") {
    const rows = sent.cells.map((row) => `{${row.map(([name, text]) => `${string(name)}: ${WORDS[text] ?? text}`).join(", ")}}`);
    const args = sent.hasArgs ? `, "args": ${literal(JSON.parse(sent.args))}` : "";
    lines.push(`json={"rows": [${rows.join(", ")}]${args}},`);
  } else if (sent.way === "csv") {
    if (call.token) lines[0] = lines[0].replace("{", '{"content-type": "text/csv", ');
    else lines.push('headers={"content-type": "text/csv"},');
    if (sent.hasArgs) lines.push(`params={"args": ${string(sent.args)}},`);
    lines.push(`content=${string(sent.csv)}.encode(),`);
  } else {
    const files = names(sent).map((name) => `("files", open(${string(name)}, "rb"))`);
    lines.push(`files=[${files.join(", ")}],`);
    if (sent.hasArgs) lines.push(`data={"args": ${string(sent.args)}},`);
  }
  const imports = call.token ? "import os\n\nimport httpx\n" : "import httpx\n";
  const body = [string(call.url) + ",", ...lines, "timeout=60,"].map((line) => `    ${line}\n`).join("");
  return `${comment(call)}${imports}\nanswer = httpx.post(\n${body})\nprint(answer.json())\n`;
}

const WORDS = { true: "True", false: "False", null: "None" };
const string = (text) => JSON.stringify(text); // its escapes are Python's, too

function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.entries(value).map(([key, each]) => `${string(key)}: ${literal(each)}`).join(", ")}}`;
  }
  const text = JSON.stringify(value);
  return WORDS[text] ?? text;
}
