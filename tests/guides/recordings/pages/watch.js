// Tells where the controls of a page are on the screen, and what of it should be hidden (elements with data-secret).
window.stage = {
  seen: [],
  // The window's frame is as wide at its left and right as below; what is above the page is the rest.
  place: (box) => {
    const frame = (outerWidth - innerWidth) / 2;
    const top = outerHeight - innerHeight - frame;
    return [box.left + screenX + frame, box.top + screenY + top, box.width, box.height];
  },
  clip: (element, box) => {
    let left = Math.max(0, box.left), top = Math.max(0, box.top);
    let right = Math.min(innerWidth, box.right), bottom = Math.min(innerHeight, box.bottom);
    for (let outer = element.parentElement; outer; outer = outer.parentElement) {
      if (getComputedStyle(outer).overflowY === "visible") continue;
      const own = outer.getBoundingClientRect();
      left = Math.max(left, own.left); right = Math.min(right, own.right);
      top = Math.max(top, own.top); bottom = Math.min(bottom, own.bottom);
    }
    return { left, top, width: right - left, height: bottom - top, right, bottom };
  },
  find: (selector) => {
    const element = document.querySelector(selector);
    if (!element || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return null;
    const box = stage.clip(element, element.getBoundingClientRect());
    if (box.width < 4 || box.height < 4) return null;
    return { label: stage.label(element), box: stage.place(box) };
  },
  label: (element) => {
    const title = element.querySelector("h1, h2, h3, .title");
    const own = element.dataset.label ?? element.labels?.[0]?.innerText;
    const text = own ?? (element.matches("[role=dialog], [role=menu], main, section") ? title?.innerText : null)
      ?? element.innerText;
    return (text || "").trim().split("\n")[0] || null;
  },
  isCovered: (element, x, y) => {
    for (const above of document.elementsFromPoint(x, y)) {
      if (above === element || element.contains(above) || above.contains(element)) return false;
      const ground = getComputedStyle(above).backgroundColor;
      if (!/rgba\(.*, 0(\.\d+)?\)|transparent/.test(ground)) return true;
    }
    return true;
  },
  look: () => {
    const shown = [];
    for (const element of document.querySelectorAll("[data-secret]")) {
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const isField = element.matches("input");
      const text = isField ? element.value : element.innerText.trim();
      const range = document.createRange();
      range.selectNodeContents(element);
      const whole = (isField ? element : range).getBoundingClientRect();
      const box = stage.clip(element, whole);
      if (!text || whole.width < 2 || box.height < whole.height * 0.5 || box.width < 4) continue;
      const middle = box.top + box.height / 2;
      const corners = [box.left + 2, box.left + box.width / 2, box.right - 2];
      if (corners.every((x) => stage.isCovered(element, x, middle))) continue;
      shown.push({ kind: element.dataset.secret, text, box: stage.place(box) });
    }
    stage.seen.push([Date.now(), shown]);
  },
};
setInterval(stage.look, 100);
