// A form that sends rows, CSV or files to an inference pipeline and shows what comes back; on the
// page of a service, and in the studio. Whatever comes from outside only ever becomes text nodes.

import { answerShown } from "./answer.js";
import { calls } from "./calls.js";
import { make } from "./elements.js";

const ENGLISH = {
  add_column: "Add a column",
  add_row: "Add a row",
  args: "Args",
  call: "The same call",
  column: "Column",
  copy: "Copy",
  csv: "CSV",
  csv_file: "Take the text of a file",
  files: "Files",
  files_kinds: "The last inference had files of these kinds:",
  more_columns: "Show 100 more columns",
  name_of_column: "Name of the new column",
  not_utf8: "The file is not UTF-8, or too large to be shown: send it under Files.",
  nothing_known: "No input of this pipeline is known yet; an inference makes it known:",
  nothing_chosen: "Choose a file first.",
  offline: "It cannot be reached; what you typed is kept.",
  remove: "Remove",
  row: "row",
  rows: "Rows",
  send: "Send",
  sending: "It runs…",
  answered: "Answered in {n} s",
  table: "A table with a header",
  what: "What to send",
};
const MADE_UP = { integer: "1", number: "1.5", boolean: "true", string: "text", any: "" };
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const MOST_SHOWN = 100; // columns that are drawn at once
const MOST_TEXT = 5_000_000; // bytes of a file that is shown as text

// config: {input, args, call: {url, token, note}, send(sent), fetch(url), words, extra}
// `send` resolves to a Response; `call` may be a function; `extra` are elements of the form.
export function mount(root, config) {
  const words = { ...ENGLISH, ...config.words };
  const ways = { rows: rowsWay(config.input, words), csv: csvWay(config.input, words), files: filesWay(words) };
  const args = argsFields(config.args, words);
  const way = wayChoice(ways, config.input.kind === "files" ? "files" : "rows", words);
  const status = make("span", { role: "status" });
  const button = make("button", { class: "send", "data-action": "send" }, words.send);
  const answer = make("section", { class: "answer", "data-answer": "", hidden: true });
  const shown = calls(words, copying);
  const form = make("form", {}, ...(config.extra ?? []), known(config.input, words), way.element,
    ...Object.values(ways).map((each) => each.element), args.element,
    make("p", { class: "buttons" }, button, status), shown.element);
  root.replaceChildren(form, answer);

  function sent() {
    const given = args.value();
    return {
      way: way.value(), ...ways[way.value()].value(),
      args: JSON.stringify(given), hasArgs: Object.keys(given).length > 0,
    };
  }
  const renew = () => shown.show(sent(), typeof config.call === "function" ? config.call() : config.call);
  form.addEventListener("input", renew);
  form.addEventListener("change", renew);
  form.addEventListener("renew", renew);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled")) return;
    const content = sent();
    if (content.way === "files" && !content.files.length) {
      status.textContent = words.nothing_chosen;
      return;
    }
    button.setAttribute("aria-disabled", "true");
    status.textContent = words.sending;
    answer.hidden = true; // what it shows is not of what is sent now
    const began = performance.now();
    const response = await config.send(content).catch(() => null);
    const body = await response?.json().catch(() => null);
    button.removeAttribute("aria-disabled");
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    status.textContent = response ? words.answered.replace("{n}", seconds) : words.offline;
    answer.replaceChildren(...answerShown(response, body, config));
    answer.hidden = false;
    answer.dataset.state = response?.ok && body?.status === "success" ? "success" : "error";
  });
  renew();
}

function copying(button, text) {
  button.dataset.copy = text;
  button.onclick = (event) => {
    event.stopPropagation();
    navigator.clipboard?.writeText(button.dataset.copy);
  };
}

function known(input, words) {
  if (input.kind === "none") {
    return make("p", { class: "empty" }, `${words.nothing_known} `, make("code", {}, "alo run --mode inference"));
  }
  if (input.kind === "files" && input.suffixes.length) {
    return make("p", {}, `${words.files_kinds} ${input.suffixes.join(", ")}`);
  }
  return null;
}

function wayChoice(ways, first, words) {
  let chosen = first;
  const choose = (name) => {
    chosen = name;
    for (const [each, { element }] of Object.entries(ways)) element.hidden = each !== name;
  };
  const element = make("fieldset", {}, make("legend", {}, words.what));
  for (const name of Object.keys(ways)) {
    const radio = make("input", { type: "radio", name: "way", value: name, checked: name === first });
    radio.addEventListener("change", () => choose(name));
    element.append(make("label", {}, radio, ` ${words[name]}`));
  }
  choose(first);
  return { element, value: () => chosen };
}

// ---- rows: each column of the input is a line of the table, each row that is sent a column

function rowsWay(input, words) {
  const columns = input.columns.map((each) => ({ ...each }));
  if (!columns.length) columns.push({ name: "", type: "any" });
  const rows = [columns.map((each) => MADE_UP[each.type])];
  let shown = MOST_SHOWN;
  const head = make("tr");
  const body = make("tbody");
  const more = make("button", { type: "button", "data-action": "more-columns" }, words.more_columns);
  const addRow = make("button", { type: "button", "data-action": "add-row" }, words.add_row);
  const addColumn = make("button", { type: "button", "data-action": "add-column" }, words.add_column);
  const element = make("div", { class: "way" },
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": words.rows },
      make("table", { class: "cells" }, make("thead", {}, head), body)),
    make("p", { class: "buttons" }, addRow, addColumn, more));

  function draw() {
    head.replaceChildren(make("th", { scope: "col" }, words.column),
      ...rows.map((_, at) => make("th", { scope: "col" }, `${words.row} ${at + 1} `, remover(at))));
    body.replaceChildren(...columns.slice(0, shown).map(line));
    more.hidden = columns.length <= shown;
  }
  function remover(at) {
    if (rows.length === 1) return null;
    const button = make("button", {
      type: "button", "data-action": "remove-row", "aria-label": `${words.remove}: ${words.row} ${at + 1}`,
    }, "×");
    button.addEventListener("click", () => {
      rows.splice(at, 1);
      draw();
      addRow.focus();
      renewed(element);
    });
    return button;
  }
  function line(column, at) {
    return make("tr", {}, heading(column), ...rows.map((row, number) => {
      const field = make("input", {
        "aria-label": `${words.row} ${number + 1}, ${column.name}`,
        inputmode: ["integer", "number"].includes(column.type) ? "decimal" : undefined,
        autocomplete: "off", spellcheck: "false",
      });
      field.value = row[at];
      field.addEventListener("input", () => { row[at] = field.value; });
      return make("td", {}, field);
    }));
  }
  function heading(column) {
    if (column.type !== "any") {
      return make("th", { scope: "row" }, `${column.name} `, make("small", {}, column.type));
    }
    const field = make("input", { "aria-label": words.name_of_column, placeholder: words.column, autocomplete: "off" });
    field.value = column.name;
    field.addEventListener("input", () => { column.name = field.value; });
    return make("th", { scope: "row" }, field);
  }
  addRow.addEventListener("click", () => {
    rows.push([...rows[rows.length - 1]]);
    draw();
    body.querySelector("tr td:last-child input").select();
    renewed(element);
  });
  addColumn.addEventListener("click", () => {
    columns.push({ name: "", type: "any" });
    for (const row of rows) row.push("");
    shown = Math.max(shown, columns.length);
    draw();
    body.lastElementChild.querySelector("input").focus();
    renewed(element);
  });
  more.addEventListener("click", () => {
    const before = shown;
    shown += MOST_SHOWN;
    draw();
    body.children[before].querySelector("input").focus();
  });
  draw();
  const value = () => {
    const cells = rows.map((row) => columns.map((column, at) => [column.name, literal(row[at], column.type)]));
    return { cells, rows: rowsText(cells) };
  };
  return { element, value };
}

function renewed(element) {
  element.dispatchEvent(new Event("renew", { bubbles: true }));
}

function rowsText(cells) {
  const row = (each) => each.map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(", ");
  return `[${cells.map((each) => `{${row(each)}}`).join(", ")}]`;
}

// What is typed as JSON has it: a number with all of its digits, and as a text what is none.
function literal(text, type) {
  if (text === "" && type !== "string") return "null";
  if (type !== "string" && type !== "boolean" && NUMBER.test(text)) return text;
  if ((type === "boolean" || type === "any") && /^(true|false)$/i.test(text)) return text.toLowerCase();
  return JSON.stringify(text);
}

// ---- CSV, files, args

function csvWay(input, words) {
  const text = make("textarea", { "aria-label": words.table, spellcheck: "false" });
  const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  if (input.columns.length) {
    const lines = [input.columns.map((each) => each.name), input.columns.map((each) => MADE_UP[each.type])];
    text.value = lines.map((each) => `${each.map(quoted).join(",")}\n`).join("");
  }
  const file = make("input", { type: "file", accept: ".csv,text/csv" });
  const note = make("small", { role: "status" });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    const read = chosen.size <= MOST_TEXT ? await chosen.text() : "\ufffd";
    note.textContent = read.includes("\ufffd") ? words.not_utf8 : "";
    if (!note.textContent) text.value = read;
    renewed(text);
  });
  const element = make("div", { class: "way" }, text,
    make("p", {}, make("label", {}, `${words.csv_file} `, file), " ", note));
  return { element, value: () => ({ csv: text.value }) };
}

function filesWay(words) {
  const field = make("input", { type: "file", multiple: true, "aria-label": words.files });
  return { element: make("div", { class: "way" }, field), value: () => ({ files: [...field.files] }) };
}

function argsFields(schema, words) {
  const fields = Object.entries(schema.properties ?? {}).flatMap(([step, { properties }]) =>
    Object.entries(properties).map(([key, each]) => argField(step, key, each)));
  const element = make("fieldset", { hidden: !fields.length }, make("legend", {}, words.args),
    ...fields.map((each) => each.element));
  const value = () => {
    const found = {};
    for (const { step, key, read } of fields) {
      const given = read();
      if (given !== undefined) (found[step] ??= {})[key] = given;
    }
    return found;
  };
  return { element, value };
}

function argField(step, key, schema) {
  const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const options = schema.enum ?? schema.items?.enum;
  const before = schema.default;
  const field = options ? selection(schema, options, [before ?? []].flat().map(plain), plain) : make("input", {
    autocomplete: "off", value: before === undefined ? "" : plain(before),
    inputmode: schema.type && schema.type !== "string" ? "decimal" : undefined,
  });
  field.name = `args.${step}.${key}`;
  const bounds = "minimum" in schema ? ` ${schema.minimum} – ${schema.maximum}` : "";
  const element = make("label", { class: "arg" }, `${step}.${key}`,
    make("small", {}, `${schema.description ?? ""}${bounds}`), field);
  const now = () => {
    if (!options) return typed(field.value, schema.type);
    const chosen = [...field.selectedOptions].filter((each) => each.value).map((each) => options[each.value]);
    return schema.enum ? chosen[0] : chosen;
  };
  // What was not changed is not sent: it stays as the plan has it.
  const initial = JSON.stringify(now());
  const read = () => (JSON.stringify(now()) === initial ? undefined : now());
  return { step, key, element, read };
}

function selection(schema, options, chosen, plain) {
  const field = make("select", { multiple: !schema.enum }, ...options.map((each, at) =>
    make("option", { value: at, selected: chosen.includes(plain(each)) }, plain(each))));
  if (schema.enum && !chosen.length) field.prepend(make("option", { value: "", selected: true }, ""));
  return field;
}

function typed(text, type) {
  if (type === "string") return text;
  if (type) return NUMBER.test(text) ? Number(text) : text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
