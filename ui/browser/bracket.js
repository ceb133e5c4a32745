// Where the cause most probably entered, onto the map; a map that is drawn anew meanwhile is told again.
export default function ({ data, parentElement }) {
  const show = () => map()?.showBracket(data);
  clearInterval(parentElement.telling);
  parentElement.telling = setInterval(show, 500);
  show();
  return () => clearInterval(parentElement.telling);
}
