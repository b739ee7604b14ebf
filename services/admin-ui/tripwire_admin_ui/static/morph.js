// Makes the children of one element equal to those of another by touching only what differs, so that focus, selection,
// scroll, unfolded details and what is being typed stay. Elements with an id are found again by it, others by their place.
// What carries data-keep belongs to the reader or to the script: it is never changed, nor removed.

export function morph(old, fresh) {
  if (old.hasAttribute("data-keep")) return;
  copyAttributes(old, fresh);
  const byId = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const expected = new Set([...fresh.children].filter((child) => child.id).map((child) => child.id));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    while (place && isKept(place, expected)) place = place.nextSibling;
    const found = wanted.id ? byId.get(wanted.id) : isSameKind(place, wanted) ? place : null;
    if (found) {
      // Moving an element costs its focus: elements in between that are gone are taken out instead.
      while (place && place !== found && isGone(place, expected)) place = removeAndNext(place);
      if (place === found) place = place.nextSibling;
      else old.insertBefore(found, place);
      if (found.nodeType === Node.ELEMENT_NODE) morph(found, wanted);
      else if (found.data !== wanted.data) found.data = wanted.data;
    } else {
      old.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) place = isKept(place, expected) ? place.nextSibling : removeAndNext(place);
}

function isSameKind(old, wanted) {
  return old && old.nodeType === wanted.nodeType && old.nodeName === wanted.nodeName && !old.id;
}

function isKept(node, expected) {
  return node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-keep") && !expected.has(node.id);
}

function isGone(node, expected) {
  return !isKept(node, expected) && !(node.id && expected.has(node.id));
}

function removeAndNext(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function copyAttributes(old, fresh) {
  const reader = old.nodeName === "DETAILS" ? ["open"] : []; // whether it is unfolded is the reader's choice
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !reader.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value && !reader.includes(name)) old.setAttribute(name, value);
  }
}
