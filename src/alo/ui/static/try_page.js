// The screen that tries the pipeline: the form of a service's page, sent through the studio.

const root = document.querySelector("[data-try]");
const { mount } = await import(root.dataset.module);
const { make } = await import(new URL("elements.js", new URL(root.dataset.module, location.href)));
const words = JSON.parse(root.dataset.words);
const { input, args, services, worker } = JSON.parse(root.dataset.try);

const service = make("select", { name: "service" },
  ...services.map(({ name, url }) => make("option", { value: name }, `${url} (${name})`)),
  make("option", { value: worker }, words.worker));
const token = make("input", { type: "password", name: "token", autocomplete: "off", spellcheck: "false" });
const tokenField = make("label", { class: "arg" }, words.token, token);
const chosen = () => services.find((each) => each.name === service.value);

function wants() {
  tokenField.hidden = !chosen()?.wants_token;
}
service.addEventListener("change", wants);
wants();

mount(root, {
  input,
  args,
  words,
  session: true,
  extra: [make("label", { class: "arg" }, words.service, service), tokenField],
  send,
  fetch: (url) => fetch(url),
  call() {
    const { url, wants_token } = chosen() ?? { url: "http://127.0.0.1:8000" };
    return {
      url: `${url}/v1/inference`,
      token: wants_token ? "ALO_TOKEN" : "",
      note: chosen() ? "" : words.while_served,
    };
  },
});

// Files go in JSON, a third longer, through the studio, which takes 20 MB.
const MOST_FILES = 14_000_000;

async function send(sent) {
  const size = (sent.files ?? []).reduce((sum, each) => sum + each.size, 0);
  if (sent.way === "files" && size > MOST_FILES) {
    return new Response(JSON.stringify({ error: { what: words.too_large } }), { status: 413 });
  }
  const others = { args: JSON.parse(sent.args), service: service.value, token: token.value };
  const written = JSON.stringify(others).slice(1);
  const data = {
    rows: () => sent.rows, // as text: numbers keep all of their digits
    csv: () => JSON.stringify(sent.csv),
    files: async () => JSON.stringify(await Promise.all(sent.files.map(uploaded))),
  };
  return fetch(root.dataset.post, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"${sent.way}": ${await data[sent.way]()}, ${written}`,
  });
}

function uploaded(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ name: file.name, content: reader.result.split(",")[1] ?? "" });
    reader.onerror = reject;
    reader.readAsDataURL(file);
  });
}
