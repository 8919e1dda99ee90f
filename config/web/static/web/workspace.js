// Pages of the workspace work without this: it only saves reloading them, and a page for the question before an act.

// A tab that nobody looks at asks for nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});

// What has not changed stays as it is: focus, selection and an open menu with it.
const shown = new Map();
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const path = detail.pathInfo.requestPath;
  if (detail.xhr.status === 200 && shown.get(path) === detail.serverResponse) detail.shouldSwap = false;
  shown.set(path, detail.serverResponse);
});

// <dialog-link for="ID"><a href="PAGE">…</a></dialog-link>: opens the dialog of that id instead of the page.
customElements.define(
  "dialog-link",
  class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("click", (event) => {
        const dialog = document.getElementById(this.getAttribute("for"));
        if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        dialog.showModal();
      });
    }
  },
);
