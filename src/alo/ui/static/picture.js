// A picture is zoomed by buttons, keys, two fingers, and the wheel with Ctrl (which a trackpad's
// pinch is, too), and panned by dragging. Fingers, arrow keys and the wheel scroll it by themselves.

const LEAST = 1 / 16; // of its own size
const MOST = 64;
const STEP = 1.5; // of a button or key
const STILL = 4; // pixels that a hand moves in a click

const figure = document.querySelector("[data-zoom]");
const picture = figure?.querySelector("img");
const shown = document.querySelector("[data-scale]");
const fingers = new Map(); // those on the picture

function scale() {
  return picture.getBoundingClientRect().width / picture.naturalWidth;
}

// Null: as large as it fits. The point of the picture that is at `x`, `y` of the window stays there.
function zoomTo(wanted, { x, y } = middle()) {
  if (!picture.naturalWidth) return;
  const before = picture.getBoundingClientRect();
  const next = wanted && Math.min(MOST, Math.max(LEAST, wanted));
  picture.style.width = next ? `${picture.naturalWidth * next}px` : "";
  figure.classList.toggle("zoomed", Boolean(next));
  const after = picture.getBoundingClientRect();
  figure.scrollLeft += after.left + ((x - before.left) / before.width) * after.width - x;
  figure.scrollTop += after.top + ((y - before.top) / before.height) * after.height - y;
  say();
}

function say() {
  if (picture.naturalWidth) shown.textContent = `${Math.round(scale() * 100)} %`;
}

function middle() {
  const { left, top, width, height } = figure.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}

const ACTS = {
  "zoom-in": () => zoomTo(scale() * STEP),
  "zoom-out": () => zoomTo(scale() / STEP),
  "zoom-own": () => zoomTo(1),
  "zoom-fit": () => zoomTo(null),
};
const KEYS = { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", 1: "zoom-own", 0: "zoom-fit" };

function turn(at) {
  zoomTo(figure.classList.contains("zoomed") ? null : 1, at);
}

let isMoved = false; // what ends then is no click

function drag(event) {
  let [x, y] = [event.clientX, event.clientY];
  isMoved = false;
  figure.setPointerCapture(event.pointerId);
  figure.onpointermove = (moved) => {
    if (!isMoved && Math.hypot(moved.clientX - x, moved.clientY - y) < STILL) return;
    isMoved = true;
    figure.classList.add("dragged");
    figure.scrollLeft -= moved.clientX - x;
    figure.scrollTop -= moved.clientY - y;
    [x, y] = [moved.clientX, moved.clientY];
  };
  figure.onpointerup = figure.onpointercancel = () => {
    figure.onpointermove = figure.onpointerup = figure.onpointercancel = null;
    figure.classList.remove("dragged");
  };
}

function spread() {
  const [one, other] = [...fingers.values()];
  return { size: Math.hypot(one.x - other.x, one.y - other.y), x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

let pinched = null; // how far two fingers were apart, and the scale then

function follow() {
  figure.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") {
      if (!event.button && event.target === picture) drag(event);
      return;
    }
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    pinched = fingers.size === 2 ? { size: spread().size, scale: scale() } : null;
  });
  figure.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pinched) zoomTo((pinched.scale * spread().size) / pinched.size, spread());
  });
  for (const name of ["pointerup", "pointercancel"]) {
    figure.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      pinched = null;
    });
  }
  // Two fingers would zoom the whole page.
  figure.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
  figure.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomTo(scale() * Math.exp(-event.deltaY / 200), { x: event.clientX, y: event.clientY });
  }, { passive: false });
  figure.addEventListener("click", (event) => {
    if (!isMoved) turn({ x: event.clientX, y: event.clientY });
    isMoved = false;
  });
  figure.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") turn();
    else ACTS[KEYS[event.key]]?.();
  });
}

if (figure) {
  follow();
  for (const button of document.querySelectorAll("[data-zooms] button")) {
    button.addEventListener("click", ACTS[button.dataset.action]);
  }
  document.querySelector("[data-zooms]").hidden = false;
  if (picture.complete) say();
  picture.addEventListener("load", say);
  addEventListener("resize", say);
}
