// The chosen theme, before the page is drawn; without a choice the system's is used.
try {
  const chosen = localStorage.getItem("alo-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // a browser that keeps nothing
}
