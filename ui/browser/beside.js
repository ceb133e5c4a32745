// The map on this page, as far as it is there: what every part beside it speaks to.
const map = () => [...document.querySelectorAll("iframe")].map((frame) => {
  try {
    return frame.contentWindow.qingyuan?.app;
  } catch {
    return null;
  }
}).find(Boolean);

