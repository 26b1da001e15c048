// Tells others which record somebody looks at, and has the page's address say so, too.

const AGAIN = 15_000; // ms after which the same is reported once more
const LOOK = 20_000;
const REST = 250; // ms that somebody stays at a record

// address: of a query, as of a record; recordOf: gives the record that is looked at.
export function presence(base, address, recordOf) {
  let reported = "";
  let reportedAt = 0;
  let following = 0;

  function follow() {
    clearTimeout(following);
    following = setTimeout(() => {
      history.replaceState(history.state, "", address({ record: recordOf() }));
      present();
    }, REST);
  }

  function present() {
    const record = document.hidden ? "" : (recordOf() ?? "");
    if (record === reported && Date.now() - reportedAt < AGAIN) return;
    [reported, reportedAt] = [record, Date.now()];
    fetch(`${base}/presence`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ record }),
      keepalive: true,
    }).catch(() => null);
  }

  setInterval(() => recordOf() && present(), LOOK);
  document.addEventListener("visibilitychange", () => recordOf() && present());
  addEventListener("pagehide", () => {
    reported = "";
    const nothing = new Blob([JSON.stringify({ record: "" })], { type: "application/json" });
    navigator.sendBeacon?.(`${base}/presence`, nothing);
  });
  return { follow };
}
