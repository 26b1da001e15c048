// The page of a service: its routes in words, and a form to try it, from its OpenAPI description.
// Texts of the description only ever become text nodes.

import { make } from "./elements.js";
import { mount } from "./try.js";

const place = (id) => document.getElementById(id);
const token = place("token");
const field = place("token-field");
const MOST_FIELDS = 200; // that are listed

async function show() {
  const headers = field.value ? { authorization: `Bearer ${encoded(field.value)}` } : {};
  const answer = await fetch("openapi.json", { headers, cache: "no-store" }).catch(() => null);
  const refused = place("refused");
  refused.hidden = true;
  if (answer?.status === 401) {
    token.hidden = false;
    refused.textContent = "The token is wrong.";
    refused.hidden = !field.value;
    field.focus();
    return;
  }
  if (!answer?.ok) {
    token.hidden = false;
    refused.textContent = answer
      ? `The service has answered with ${answer.status}.`
      : "The service cannot be reached.";
    refused.hidden = false;
    return;
  }
  describe(await answer.json());
}

// A header holds bytes: those of UTF-8, each as a character.
function encoded(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function describe(description) {
  const { info, paths, components } = description;
  const operation = paths["/v1/inference"].post;
  document.title = `${info.title} · inference service`;
  place("title").textContent = `${info.title} ${info.version}`;
  place("about").textContent = info.description;
  token.hidden = !operation.security;
  const form = make("section", { class: "try", "aria-label": "Try it" });
  const base = new URL(".", location.href);
  mount(form, {
    input: operation["x-alo-input"],
    args: operation.requestBody.content["application/json"].schema.properties.args,
    call: { url: new URL("v1/inference", base).href, token: operation.security ? "ALO_TOKEN" : "" },
    send: (sent) => send(sent, base),
    fetch: (url) => fetch(new URL(`.${url}`, base), { headers: authorization() }),
  });
  place("content").replaceChildren(
    make("h2", {}, "Try it"),
    form,
    make("h2", {}, "Routes"),
    ...Object.entries(paths).flatMap(([path, verbs]) =>
      Object.entries(verbs).map(([verb, each]) => route(path, verb, each, components.schemas))),
    make("p", {}, "The whole description for programs: ", make("a", { href: "openapi.json" }, "openapi.json")),
  );
}

function authorization() {
  return field.value ? { authorization: `Bearer ${encoded(field.value)}` } : {};
}

function send({ way, rows, csv, files, args, hasArgs }, base) {
  const url = new URL("v1/inference", base);
  const headers = authorization();
  if (way === "rows") {
    headers["content-type"] = "application/json";
    return fetch(url, { method: "POST", headers, body: `{"rows": ${rows}, "args": ${args}}` });
  }
  if (way === "csv") {
    headers["content-type"] = "text/csv";
    if (hasArgs) url.searchParams.set("args", args);
    return fetch(url, { method: "POST", headers, body: csv });
  }
  const body = new FormData();
  for (const file of files) body.append("files", file, file.name);
  if (hasArgs) body.append("args", args);
  return fetch(url, { method: "POST", headers, body });
}

// ---- routes in words

function route(path, verb, operation, schemas) {
  const shown = make("details", { class: "route" },
    make("summary", {}, make("span", { class: "verb" }, verb.toUpperCase()), " ",
      make("code", {}, path), " ", operation.summary));
  // What is closed is filled when it is opened: the description of a wide table is long.
  shown.addEventListener("toggle", () => fill(shown, operation, schemas), { once: true });
  return shown;
}

function fill(shown, operation, schemas) {
  if (operation.security) shown.append(make("p", {}, "It wants the token."));
  if (operation.parameters.length) {
    shown.append(make("h3", {}, "In the address"), table(["name", "where", "what"],
      operation.parameters.map((each) => [each.name, each.in, each.description ?? ""])));
  }
  for (const [type, { schema, example }] of Object.entries(operation.requestBody?.content ?? {})) {
    shown.append(make("h3", {}, "Sent as ", make("code", {}, type)), fields(schema, schemas));
    if (example !== undefined) {
      const text = typeof example === "string" ? example : JSON.stringify(example, null, 1);
      shown.append(make("pre", { tabindex: "0", "aria-label": `Example of ${type}` }, text));
    }
  }
  shown.append(make("h3", {}, "Answers"), table(["status", "what it says", "as"],
    Object.entries(operation.responses).map(([status, each]) =>
      [status, each.description, Object.keys(each.content ?? {}).join(", ")])));
  const good = Object.values(operation.responses)[0];
  const schema = Object.values(good.content ?? {})[0]?.schema;
  if (schema?.$ref) shown.append(make("h3", {}, "Fields of the answer"), fields(schema, schemas));
}

function fields(schema, schemas) {
  const found = resolved(schema, schemas);
  if (!found.properties) return make("p", {}, found.description ?? "");
  const rows = [...rowsOf(found, schemas, "")];
  const left = rows.length - MOST_FIELDS;
  const shown = table(["field", "type", "what"], rows.slice(0, MOST_FIELDS));
  return left > 0 ? make("div", {}, shown, make("p", {}, `… and ${left} more`)) : shown;
}

function* rowsOf(schema, schemas, prefix) {
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const field = resolved(each, schemas);
    const wanted = (schema.required ?? []).includes(name) ? "" : ", may be missing";
    const bounds = "minimum" in field ? `from ${field.minimum} to ${field.maximum}` : "";
    const initial = "default" in field ? `${JSON.stringify(field.default)} by default` : "";
    const words = [field.description, bounds, initial].filter(Boolean).join("; ");
    yield [`${prefix}${name}`, `${typeOf(field)}${prefix ? "" : wanted}`, words];
    yield* rowsOf(field, schemas, `${prefix}${name}.`);
    if (field.items?.properties) yield* rowsOf(field.items, schemas, `${prefix}${name}[].`);
  }
}

function typeOf(schema) {
  if (schema.enum) return `one of ${schema.enum.map((each) => JSON.stringify(each)).join(", ")}`;
  return [schema.type ?? "any"].flat().join(" or ");
}

function resolved(schema, schemas) {
  return schema.$ref ? schemas[schema.$ref.split("/").pop()] : schema;
}

function table(names, rows) {
  return make("div", { class: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows.map(([first, ...others]) => make("tr", {},
      make("th", { scope: "row" }, make("code", {}, first)),
      ...others.map((text) => make("td", {}, text)))))));
}

token.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!place("content").childElementCount) show(); // else what is typed there stays
});
show();
