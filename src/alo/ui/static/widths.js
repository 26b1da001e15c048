// The widths of a table's columns: changed by mouse, finger or keyboard, and kept in this browser
// for every table of the same path, whichever run has made it.

const LEAST = 40; // pixels
const MOST = 2000;
const STEP = 16; // of an arrow key
const MOST_KEPT = 500; // columns of a project

const table = document.querySelector("table[data-table]");
const project = `alo-widths:${document.querySelector(".brand")?.textContent ?? ""}`;

function kept() {
  try {
    return new Map(JSON.parse(localStorage.getItem(project) ?? "[]"));
  } catch {
    return new Map(); // of another version, or damaged by hand
  }
}

function nameOf(heading) {
  return `${table.dataset.table}\n${heading.dataset.column}`;
}

function keep(heading, width) {
  const all = kept();
  all.delete(nameOf(heading)); // so that it is the newest
  if (width) all.set(nameOf(heading), width);
  try {
    localStorage.setItem(project, JSON.stringify([...all].slice(-MOST_KEPT)));
  } catch {
    // it is as wide until the page is left
  }
}

// As the browser lays it out by itself; then, where a width is kept, that one in its place.
function layOut() {
  const headings = [...table.tHead.rows[0].cells];
  table.classList.remove("sized");
  table.style.width = "";
  for (const each of headings) each.style.width = "";
  const all = kept();
  const own = headings.map((each) => all.get(nameOf(each)));
  const widths = headings.map((each, at) => own[at] ?? each.offsetWidth);
  if (own.some(Boolean)) setAll(headings, widths);
  for (const [at, each] of headings.entries()) {
    each.querySelector("[role=separator]")?.setAttribute("aria-valuenow", Math.round(widths[at]));
  }
}

function setAll(headings, widths) {
  for (const [at, each] of headings.entries()) each.style.width = `${widths[at]}px`;
  table.style.width = `${widths.reduce((sum, each) => sum + each, 0)}px`;
  table.classList.add("sized");
}

function setOne(heading, wanted) {
  const width = Math.min(MOST, Math.max(LEAST, Math.round(wanted)));
  const headings = [...table.tHead.rows[0].cells];
  setAll(headings, headings.map((each) => (each === heading ? width : each.offsetWidth)));
  heading.querySelector("[role=separator]").setAttribute("aria-valuenow", width);
  return width;
}

function forget(heading) {
  keep(heading, 0);
  layOut();
}

function addHandle(heading) {
  const handle = document.createElement("span");
  const label = table.dataset.widthText.replace("{name}", heading.dataset.column);
  const facts = { role: "separator", tabindex: "0", title: label, "data-action": "width",
    "aria-label": label, "aria-orientation": "vertical", "aria-valuemin": LEAST, "aria-valuemax": MOST };
  for (const [name, value] of Object.entries(facts)) handle.setAttribute(name, value);
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const more = heading.offsetWidth - event.clientX;
    handle.onpointermove = (moved) => setOne(heading, moved.clientX + more);
    handle.onpointerup = handle.onpointercancel = () => {
      handle.onpointermove = handle.onpointerup = handle.onpointercancel = null;
      if (table.classList.contains("sized")) keep(heading, heading.offsetWidth);
    };
  });
  handle.addEventListener("dblclick", () => forget(heading));
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (step) keep(heading, setOne(heading, heading.offsetWidth + step));
    else if (event.key === "Home") forget(heading);
    else return;
    event.preventDefault();
  });
  heading.append(handle);
}

if (table) {
  for (const each of table.tHead.querySelectorAll("th[data-column]")) addHandle(each);
  layOut();
}
