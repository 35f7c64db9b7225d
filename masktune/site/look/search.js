// Search works from a file too. There a page may not read another one, so that each result is shown with the first
// sentences of its page instead of the place that was found.
if (location.protocol === "file:" && document.getElementById("search-results")) {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  const openings = document.createElement("script");
  openings.src = "_static/openings.js";
  openings.onload = () => {
    const results = document.getElementById("search-results");
    const describe = () => results.querySelectorAll("li > a:not([data-described])").forEach((link) => {
      link.dataset.described = "";
      const text = OPENINGS[link.getAttribute("href").replace(/\.html.*$/, "")];
      if (!text) return;
      const words = document.createElement("p");
      words.className = "search-opening";
      words.textContent = text;
      link.parentElement.append(words);
    });
    new MutationObserver(describe).observe(results, { childList: true, subtree: true });
    describe();
  };
  document.head.append(openings);
}
