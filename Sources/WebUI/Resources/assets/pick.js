// Runs in the sandboxed copy of a page, alone: tells the studio which text was clicked, and nothing else.
const page = document.currentScript.dataset.page;
const flat = text => text.replace(/[ \t\n\f\r\u00a0]+/g, ' ').replace(/^ | $/g, '');
const hidden = new Set(['SCRIPT', 'STYLE', 'TITLE', 'TEXTAREA', 'TEMPLATE', 'NOSCRIPT']);
const texts = root => {
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (flat(walker.currentNode.data) && !hidden.has(walker.currentNode.parentNode.nodeName)) found.push(walker.currentNode);
  return found;
};
const sheet = new CSSStyleSheet();
sheet.replaceSync('*{cursor:crosshair!important}.pagewright-over{outline:2px solid #0f6b54!important;outline-offset:2px!important}.pagewright-picked{outline:3px solid #0f6b54!important;outline-offset:2px!important}');
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
let over, picked;
const mark = (old, next, name) => { old?.classList.remove(name); next?.classList.add(name); return next; };
const pick = element => {
  const text = texts(element)[0];
  picked = mark(picked, element, 'pagewright-picked');
  const value = text ? flat(text.data) : '';
  const link = element.closest('a[href]')?.getAttribute('href') ?? '';
  parent.postMessage({
    pagewright: 'picked', page, tag: element.localName, text: value,
    index: text ? texts(document).filter(node => flat(node.data) === value).indexOf(text) : 0,
    image: element.localName === 'img' ? element.getAttribute('alt') ?? '' : null,
    link: /^(?!\/\/)[^:?#]*/.exec(link)?.[0] ?? '',
  }, '*');
};
addEventListener('mouseover', event => { over = mark(over, event.target, 'pagewright-over'); });
addEventListener('click', event => { event.preventDefault(); event.stopPropagation(); pick(event.target); }, true);
addEventListener('submit', event => event.preventDefault(), true);
// By keyboard: Tab goes from text to text, Enter picks.
for (const element of new Set(texts(document.body).map(node => node.parentElement))) if (element.tabIndex < 0) element.tabIndex = 0;
addEventListener('keydown', event => {
  if (event.key === 'Enter') { event.preventDefault(); pick(event.target); }
  if (event.key === 'Escape') parent.postMessage({ pagewright: 'left' }, '*');
}, true);
