// <copy-button value="…"> copies its value when it is clicked.
class CopyButton extends HTMLElement {
  connectedCallback() {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${this.getAttribute("value")}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(this.getAttribute("value"));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    this.append(button);
  }
}

customElements.define("copy-button", CopyButton);
