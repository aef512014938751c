// What scrolls can be reached by the keyboard, and what is a landmark has a name.
const mend = () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    table.tabIndex = 0;
  }
  document.querySelectorAll(".md-code__nav").forEach((nav, at) => {
    nav.setAttribute("aria-label", `Code block ${at + 1}`);
  });
};
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
mend();
