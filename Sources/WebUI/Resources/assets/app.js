// What makes the pages livelier. Without it, forms post and pages reload.

/** One stream of events for the whole page; it rests while nobody looks, and goes on behind the last one seen. */
const live = {
  last: document.body.dataset.after, source: null, parts: new Set(), failedAt: null,
  kinds: ['site.created', 'site.updated', 'site.deleted', 'job.queued', 'job.started', 'job.progress', 'job.finished',
    'version.created', 'preview.changed', 'release.created', 'site.served', 'host.changed'],
  open() {
    if (this.source || !this.parts.size || this.last === undefined || document.hidden) return;
    const source = this.source = new EventSource(`/live?after=${encodeURIComponent(this.last)}`);
    source.onopen = () => {
      const wasAway = this.failedAt !== null;
      this.failedAt = null;
      for (const part of this.parts) { part.fresh(); if (wasAway) part.refresh(); }
    };
    source.onerror = () => {
      if (this.failedAt === null) { this.failedAt = new Date(); for (const part of this.parts) part.stale(this.failedAt); }
      if (source.readyState === EventSource.CLOSED) { this.close(); setTimeout(() => this.open(), 5000); }
    };
    for (const kind of this.kinds) {
      source.addEventListener(kind, event => {
        this.last = event.lastEventId;
        let body = {};
        try { body = JSON.parse(event.data); } catch { return; }
        for (const part of this.parts) part.notice(kind, body);
      });
    }
  },
  close() { this.source?.close(); this.source = null; },
};
document.addEventListener('visibilitychange', () => { if (document.hidden) live.close(); else live.open(); });
addEventListener('pagehide', () => live.close());

/** A part of the page that the server draws again when something happens. What did not change is left alone. */
customElements.define('live-part', class extends HTMLElement {
  connectedCallback() {
    live.parts.add(this);
    live.open();
    this.scrollToEnd();
  }
  disconnectedCallback() { live.parts.delete(this); }
  notice(kind, body) {
    const site = this.dataset.site;
    if (site && body.site_id !== site) return;
    if (this.timer) return;
    this.timer = setTimeout(() => { this.timer = 0; this.refresh(); }, 120);
  }
  async refresh() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    try {
      const answer = await fetch(this.dataset.src + location.search, { headers: { Accept: 'text/html' } });
      if (answer.redirected) { location.reload(); return; }
      if (answer.ok) this.draw(await answer.text());
    } catch { /* The stream says when the server is back. */ }
    this.busy = false;
    if (this.again) { this.again = false; this.refresh(); }
  }
  draw(text) {
    const next = new DOMParser().parseFromString(text, 'text/html').body.firstElementChild;
    const now = this.firstElementChild;
    if (!next || !now) return;
    for (const { name, value } of [...next.attributes]) now.setAttribute(name, value);
    const wasAtEnd = this.scrollHeight - this.scrollTop - this.clientHeight < 80;
    const old = new Map([...now.children].filter(child => child.id).map(child => [child.id, child]));
    let grew = false;
    const wanted = [...next.children].map(child => {
      const known = old.get(child.id);
      if (known && known.dataset.drawn === child.outerHTML) return known;
      grew ||= !known;
      const markup = child.outerHTML;
      const drawn = document.importNode(child, true);
      drawn.dataset.drawn = markup;
      if (known) {
        const open = [...known.querySelectorAll('details')].map(details => details.open);
        drawn.querySelectorAll('details').forEach((details, index) => { details.open = open[index] ?? false; });
        if (known.contains(document.activeElement)) queueMicrotask(() => (drawn.querySelector('button, a') ?? this).focus());
      }
      return drawn;
    });
    now.replaceChildren(...wanted);
    tidy(now);
    if (grew && wasAtEnd) this.scrollToEnd();
    this.dispatchEvent(new CustomEvent('drawn', { bubbles: true, detail: now.dataset }));
  }
  scrollToEnd() { if (this.classList.contains('feed') && !location.hash) this.scrollTop = this.scrollHeight; }
  stale(since) {
    this.note ??= document.createElement('p');
    this.note.className = 'stale';
    this.note.setAttribute('role', 'status');
    this.note.textContent = `As of ${since.toLocaleTimeString()}, reconnecting…`;
    this.append(this.note);
  }
  fresh() { this.note?.remove(); }
});

/** The preview at the widths of devices; it loads again when hosts serve something newer. */
customElements.define('preview-pane', class extends HTMLElement {
  connectedCallback() {
    const tools = this.querySelector('.widths');
    for (const [label, width] of [['Phone', '375'], ['Tablet', '768'], ['Desktop', '1280'], ['Fit', '']]) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = label;
      button.dataset.width = width;
      button.setAttribute('aria-pressed', String(width === ''));
      button.addEventListener('click', () => {
        for (const other of tools.children) other.setAttribute('aria-pressed', String(other === button));
        this.querySelector('.stage').className = width ? `stage w${width}` : 'stage';
      });
      tools.append(button);
    }
    this.served = document.querySelector('.feedlist')?.dataset.served;
    document.addEventListener('drawn', ({ detail }) => {
      if (detail.served === this.served) return;
      this.served = detail.served;
      this.renew(!detail.served.includes('-pending'));
    });
  }
  /** Takes what the page says now around the preview, and loads the preview itself when every host has it. */
  async renew(isSettled) {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const part of ['.sitebar', 'preview-pane h2']) {
      const [now, next] = [document.querySelector(part), page.querySelector(part)];
      if (now && next && now.innerHTML !== next.innerHTML) now.replaceWith(document.importNode(next, true));
    }
    const frame = this.querySelector('iframe');
    const next = page.querySelector('preview-pane .stage');
    if (!frame && next) this.querySelector('.stage').replaceWith(document.importNode(next, true));
    // A frame of another origin tells nobody where it is; it begins at the front page.
    else if (frame && isSettled) frame.src = this.dataset.url;
  }
});

/** Text with a button that copies it. */
customElements.define('copy-text', class extends HTMLElement {
  connectedCallback() {
    if (this.querySelector('button') || !navigator.clipboard) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(this.querySelector('code').textContent);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
    this.append(button);
  }
});

/** Keeps a half-written message in this browser until it was sent. Ctrl or Command with Enter sends it. */
customElements.define('keep-draft', class extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector('textarea');
    const key = `draft:${this.dataset.key}`;
    const form = this.closest('form');
    if (!field.value && !document.querySelector('.ask .banner')) field.value = localStorage.getItem(key) ?? '';
    field.addEventListener('input', () => localStorage.setItem(key, field.value));
    field.addEventListener('keydown', event => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
    });
    form.addEventListener('submit', async event => {
      event.preventDefault();
      if (form.dataset.sending) return;
      form.dataset.sending = 'yes';
      const button = form.querySelector('button');
      button.disabled = true;
      try {
        const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
        const place = new URL(answer.url);
        if (place.pathname === '/login') { location.href = `/login?next=${encodeURIComponent(location.pathname)}`; return; }
        if (!answer.ok) throw new Error(await refusal(answer));
        field.value = '';
        localStorage.removeItem(key);
        document.querySelector('.ask .banner')?.remove();
        const part = document.querySelector('live-part');
        if (location.search) { location.href = place.pathname; return; }
        await part.refresh();
        part.scrollTop = part.scrollHeight;
      } catch (error) {
        toast(error.message === 'Failed to fetch' ? 'The server does not answer. Your message is kept; send it again.' : error.message);
      } finally {
        delete form.dataset.sending;
        button.disabled = false;
        field.focus();
      }
    });
  }
});

async function refusal(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  return (page.querySelector('.banner') ?? page.querySelector('main'))?.textContent.trim().replace(/\s+/g, ' ') ?? 'It was refused.';
}

function toast(text) {
  const note = document.createElement('p');
  note.className = 'toast';
  note.setAttribute('role', 'alert');
  note.textContent = text;
  document.body.append(note);
  setTimeout(() => note.remove(), 7000);
}

// A second click has no second effect, and a slow server is named.
document.addEventListener('submit', event => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post') return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = 'yes';
  const waiting = setTimeout(() => toast('Still waiting for the server to answer…'), 5000);
  addEventListener('pageshow', shown => { if (shown.persisted) { delete form.dataset.sent; clearTimeout(waiting); } }, { once: true });
});

/** Times as people say them. */
function tidy(root) {
  const say = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const time of root.querySelectorAll('time[datetime]')) {
    const then = new Date(time.dateTime);
    time.title = then.toLocaleString();
    if ('absolute' in time.dataset) { time.textContent = then.toLocaleString(); continue; }
    const seconds = Math.round((then - Date.now()) / 1000);
    const [unit, size] = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]].find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
    time.textContent = Math.abs(seconds) > 7 * 86400 ? then.toLocaleDateString() : say.format(Math.round(seconds / size), unit);
  }
}
tidy(document);
setInterval(() => tidy(document), 30000);

// Shortcuts and the palette.
const places = () => [...document.querySelectorAll('.mainnav a, .sitebar nav a, .who > a, .card.site h2 a, main .head a.button')]
  .map(link => ({ text: link.textContent.trim(), href: link.href }));
const isTyping = target => target.closest('input, textarea, select, [contenteditable]') !== null;

function palette() {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', 'Go to');
  const field = document.createElement('input');
  field.type = 'search';
  field.placeholder = 'Go to…';
  field.setAttribute('aria-label', 'Go to');
  const list = document.createElement('ul');
  let chosen = 0;
  const draw = () => {
    const found = places().filter(place => place.text.toLowerCase().includes(field.value.toLowerCase()));
    if (field.value.trim()) found.push({ text: `Search sites for “${field.value.trim()}”`, href: `/sites?q=${encodeURIComponent(field.value.trim())}` });
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    list.replaceChildren(...found.map((place, index) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = place.href;
      link.textContent = place.text;
      link.setAttribute('aria-selected', String(index === chosen));
      item.append(link);
      return item;
    }));
  };
  field.addEventListener('input', () => { chosen = 0; draw(); });
  field.addEventListener('keydown', event => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); chosen += event.key === 'ArrowDown' ? 1 : -1; draw(); }
    if (event.key === 'Enter') { event.preventDefault(); list.querySelector('[aria-selected=true]')?.click(); }
  });
  dialog.append(field, list);
  show(dialog);
  draw();
}

function shortcuts() {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', 'Keyboard shortcuts');
  const heading = document.createElement('h2');
  heading.textContent = 'Keyboard shortcuts';
  const list = document.createElement('dl');
  list.className = 'facts';
  for (const [keys, text] of [['Ctrl K', 'Go to…'], ['/', 'Search, or write to your site'], ['Ctrl Enter', 'Send the message'], ['?', 'This list'], ['Esc', 'Close']]) {
    const row = document.createElement('div');
    const term = document.createElement('dt');
    const key = document.createElement('kbd');
    key.textContent = keys;
    term.append(key);
    const meaning = document.createElement('dd');
    meaning.textContent = text;
    row.append(term, meaning);
    list.append(row);
  }
  dialog.append(heading, list);
  show(dialog);
}

function show(dialog) {
  if (document.querySelector('dialog[open]')) return;
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener('keydown', event => {
  if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); palette(); return; }
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') {
    const field = document.querySelector('[data-shortcut="/"], #prompt');
    if (field) { event.preventDefault(); field.focus(); }
  }
  if (event.key === '?') shortcuts();
});
