// Decisions onto the map as they are made, by anyone; a map that is drawn anew meanwhile is told again.
export default function ({ data, parentElement }) {
  const show = () => map()?.showDecided(data);
  clearInterval(parentElement.telling);
  parentElement.telling = setInterval(show, 500);
  show();
  return () => clearInterval(parentElement.telling);
}
