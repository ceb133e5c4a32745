// The meeting stands in a frame of this page; when its story is to be kept, it says so, and Python is told.
export default function ({ setTriggerValue }) {
  const hear = (event) => {
    const ours = [...document.querySelectorAll("iframe")].some((frame) => frame.contentWindow === event.source);
    if (ours && event.data?.qingyuan === "story") setTriggerValue("story", event.data.story);
  };
  window.addEventListener("message", hear);
  return () => window.removeEventListener("message", hear);
}
