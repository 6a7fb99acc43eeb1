// What makes the pages livelier. Without it, forms post and pages reload.

/** One stream of events for the whole page; it rests while nobody looks, and goes on behind the last one seen. */
const live = {
  last: document.body.dataset.after, source: null, parts: new Set(), failedAt: null,
  kinds: ['site.created', 'site.updated', 'site.deleted', 'job.queued', 'job.started', 'job.progress', 'job.finished',
    'version.created', 'version.checked', 'preview.changed', 'release.created', 'site.served', 'host.changed', 'generation.updated'],
  open() {
    if (this.source || !this.parts.size || this.last === undefined || document.hidden) return;
    const source = this.source = new EventSource(`/live?after=${encodeURIComponent(this.last)}`);
    source.onopen = () => {
      offline(false);
      const wasAway = this.failedAt !== null;
      this.failedAt = null;
      for (const part of this.parts) { part.fresh(); if (wasAway) part.refresh(); }
    };
    source.onerror = () => {
      if (this.failedAt === null) { this.failedAt = new Date(); this.probe(); for (const part of this.parts) part.stale(this.failedAt); }
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
  /** Events may be missing while all else works; only a server that answers nothing is away. */
  async probe() {
    const answers = await fetch(document.querySelector('link[rel=icon]').href, { method: 'HEAD', cache: 'no-store' }).then(() => true, () => false);
    if (!answers && this.failedAt !== null) offline(true);
  },
  close() { this.source?.close(); this.source = null; },
};
document.addEventListener('visibilitychange', () => { if (document.hidden) live.close(); else live.open(); });
addEventListener('pagehide', () => live.close());

/** What is drawn, without the number that a form uses once: it is another each time, and no change. */
const bare = element => element.outerHTML.replace(/name="once" value="[^"]*"/g, '');

/** A part of the page that the server draws again when something happens. What did not change is left alone. */
customElements.define('live-part', class extends HTMLElement {
  connectedCallback() {
    live.parts.add(this);
    live.open();
    this.scrollToEnd();
    if (!this.classList.contains('feed')) return;
    // The keyboard of a phone makes it lower, a narrower window makes what is in it higher: who saw the end goes on seeing it.
    this.isAtEnd = true;
    this.addEventListener('scroll', () => { this.isAtEnd = this.scrollHeight - this.scrollTop - this.clientHeight < 80; });
    this.sizes = new ResizeObserver(() => { if (this.isAtEnd) this.scrollToEnd(); });
    this.sizes.observe(this);
  }
  disconnectedCallback() { live.parts.delete(this); this.sizes?.disconnect(); }
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
      if (answer.redirected) { this.over(); this.busy = false; return; }
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
    const wanted = [...next.children].map(child => {
      const known = old.get(child.id);
      const markup = bare(child);
      // What came with the page was not drawn here; a box that somebody ticked in it stays ticked.
      if (known && (known.dataset.drawn ?? bare(known)) === markup) return known;
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
    // Cards grow too: from waiting to done they gain findings and buttons.
    if (wasAtEnd) this.scrollToEnd();
    this.dispatchEvent(new CustomEvent('drawn', { bubbles: true, detail: now.dataset }));
  }
  scrollToEnd() { if (this.classList.contains('feed') && !location.hash) this.scrollTop = this.scrollHeight; }
  stale(since) { this.say(`As of ${since.toLocaleTimeString()}, reconnecting…`); }
  /** The session ended. Whoever writes a message goes on writing; it is kept and sent after the log-in. */
  over() { this.say('You are logged out. What you write is kept; it is sent once you log in again.'); }
  say(text) {
    this.note ??= document.createElement('p');
    this.note.className = 'stale';
    this.note.setAttribute('role', 'status');
    this.note.textContent = text;
    this.append(this.note);
  }
  fresh() { this.note?.remove(); }
});

/** Takes parts of this page as the server draws them now, where they are others; returns the whole of it. */
async function takeAgain(...parts) {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of parts) {
    const [now, next] = [document.querySelector(part), page.querySelector(part)];
    if (now && next && now.innerHTML !== next.innerHTML) now.replaceWith(document.importNode(next, true));
  }
  return page;
}

/** The state of a site at the top of its pages, and what is said below of what was done. The preview looks after them itself. */
customElements.define('live-bar', class extends HTMLElement {
  connectedCallback() {
    if (document.querySelector('preview-pane')) return;
    live.parts.add(this);
    live.open();
  }
  disconnectedCallback() { live.parts.delete(this); }
  notice(kind, body) {
    if (this.timer || body.site_id !== this.dataset.site || !['site.served', 'site.updated', 'release.created', 'preview.changed'].includes(kind)) return;
    this.timer = setTimeout(() => { this.timer = 0; this.refresh(); }, 200);
  }
  refresh() { takeAgain('.sitebar', '#notice p'); }
  stale() {}
  fresh() {}
});

/** A small part that is fetched once, such as a check that takes a while. */
customElements.define('live-check', class extends HTMLElement {
  async connectedCallback() {
    this.textContent = 'Checking…';
    this.className = 'muted small';
    try {
      const answer = await fetch(this.dataset.src);
      if (!answer.ok || answer.redirected) throw new Error();
      const part = new DOMParser().parseFromString(await answer.text(), 'text/html').body;
      this.replaceChildren(...[...part.childNodes].map(node => document.importNode(node, true)));
    } catch { this.textContent = ''; }
  }
});

/** The log of a job as it is printed: each piece has a number, and what comes after the last one seen is asked for. */
customElements.define('job-log', class extends HTMLElement {
  connectedCallback() {
    this.pre = this.querySelector('pre');
    this.pre.hidden = !this.pre.textContent;
    this.wake = () => { clearTimeout(this.timer); this.follow(); };
    document.addEventListener('drawn', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    this.follow();
  }
  disconnectedCallback() {
    clearTimeout(this.timer);
    document.removeEventListener('drawn', this.wake);
    document.removeEventListener('visibilitychange', this.wake);
  }
  get isOver() { return document.querySelector('.jobstate')?.dataset.over === 'yes'; }
  async follow() {
    if (this.busy || document.hidden) return;
    this.busy = true;
    const wasOver = this.isOver;
    let more = false;
    try {
      const answer = await fetch(`${this.dataset.src}?after=${this.dataset.number}`);
      const last = answer.headers.get('X-Log-Number');
      if (answer.ok && last) {
        const text = await answer.text();
        if (text) {
          const isAtEnd = this.pre.scrollHeight - this.pre.scrollTop - this.pre.clientHeight < 40;
          this.pre.append(text);
          this.pre.hidden = false;
          if (isAtEnd) this.pre.scrollTop = this.pre.scrollHeight;
        }
        more = last !== this.dataset.number;
        this.dataset.number = last;
      }
    } catch { /* Asked again in a moment, from the same number. */ }
    this.busy = false;
    if (more || !wasOver) this.timer = setTimeout(() => this.follow(), more ? 50 : 1000);
  }
});

/** What people call the elements of a page. */
const kinds = { h1: 'Main headline', h2: 'Headline', h3: 'Headline', h4: 'Headline', p: 'Paragraph', a: 'Link', button: 'Button', li: 'Entry of a list', img: 'Picture', figcaption: 'Caption', td: 'Table cell', th: 'Table heading', blockquote: 'Quotation', label: 'Label' };

const button = (text, press) => {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.setAttribute('aria-pressed', 'false');
  made.addEventListener('click', () => press(made));
  return made;
};

/** The preview: at the widths of devices, beside the live site, and as something to point at. */
customElements.define('preview-pane', class extends HTMLElement {
  connectedCallback() {
    this.tools = this.querySelector('.widths');
    for (const [label, width] of [['Phone', '375'], ['Tablet', '768'], ['Desktop', '1280'], ['Fit', '']]) {
      const made = button(label, () => {
        for (const other of this.tools.children) other.setAttribute('aria-pressed', String(other === made));
        this.stage.classList.remove('w375', 'w768', 'w1280');
        if (width) this.stage.classList.add(`w${width}`);
      });
      made.dataset.width = width;
      made.setAttribute('aria-pressed', String(width === ''));
      this.tools.append(made);
    }
    const modes = document.createElement('span');
    modes.className = 'widths modes';
    this.slide = button('Compare with live', () => this.mode(this.now === 'compare' ? '' : 'compare'));
    this.point = button('Point and edit', () => this.mode(this.now === 'point' ? '' : 'point'));
    modes.append(this.slide, this.point);
    this.tools.after(modes);
    this.now = '';
    this.buttons();
    this.form = this.querySelector('.picked');
    this.form.querySelector('[data-close]').addEventListener('click', () => this.mode(''));
    this.form.querySelector('[data-ask]').addEventListener('click', () => this.ask());
    addEventListener('message', event => this.hear(event));
    this.served = document.querySelector('.feedlist')?.dataset.served;
    document.addEventListener('drawn', ({ detail }) => {
      if (detail.served === this.served && detail.preview === this.dataset.number) return;
      this.served = detail.served;
      if (detail.preview !== this.dataset.number) side.news();
      this.renew(!(detail.served ?? '').includes('-pending'));
    });
  }
  get stage() { return this.querySelector('.stage'); }
  get frame() { return this.querySelector('iframe:not(.live)'); }
  buttons() {
    this.slide.hidden = !this.stage.dataset.live;
    this.point.hidden = !this.dataset.view;
    this.slide.setAttribute('aria-pressed', String(this.now === 'compare'));
    this.point.setAttribute('aria-pressed', String(this.now === 'point'));
  }
  mode(next) {
    if (this.now === 'compare') { this.querySelectorAll('.live, .slider, .side').forEach(part => part.remove()); this.stage.classList.remove('compare'); }
    if (this.now === 'point') { this.form.hidden = true; this.querySelector('.pointing')?.remove(); if (this.frame) this.frame.hidden = false; }
    this.now = next;
    if (next === 'compare') this.compare();
    if (next === 'point') this.beginPointing();
    this.buttons();
  }
  /** Both sites in one place; the slider says how much of the live one is seen. */
  compare() {
    const live = document.createElement('iframe');
    live.className = 'live';
    live.title = 'Live site';
    live.src = this.stage.dataset.live;
    live.setAttribute('sandbox', 'allow-scripts allow-same-origin');
    live.tabIndex = -1;
    const slider = document.createElement('input');
    slider.type = 'range';
    slider.className = 'slider';
    slider.value = '50';
    slider.setAttribute('aria-label', 'How much of the live site is shown on the left');
    // Under the middle of its thumb, which is 16 pixels wide and stays within the bar.
    const move = () => this.stage.style.setProperty('--cut', `calc((100% - 16px) * ${(100 - slider.value) / 100} + 8px)`);
    slider.addEventListener('input', move);
    move();
    this.stage.classList.add('compare');
    const sides = [['left', `Live, version ${this.stage.dataset.liveNumber}`], ['right', `Preview, version ${this.dataset.number}`]].map(([side, text]) => {
      const note = document.createElement('span');
      note.className = `side ${side}`;
      note.textContent = text;
      return note;
    });
    this.stage.append(live, ...sides);
    this.stage.before(slider);
    slider.focus();
  }
  /** The copy of the page that tells what was clicked. It is in a sandbox without an origin. */
  beginPointing() {
    const frame = document.createElement('iframe');
    frame.className = 'live pointing';
    frame.title = 'Preview to point at: click a text, or go to it with Tab and press Enter';
    frame.setAttribute('sandbox', 'allow-scripts');
    frame.src = this.dataset.view;
    if (this.frame) this.frame.hidden = true;
    this.stage.classList.remove('empty');
    this.stage.append(frame);
    this.form.hidden = true;
  }
  hear(event) {
    const frame = this.querySelector('.pointing');
    // A sandbox has no origin to compare; the window itself cannot be imitated.
    if (!frame || event.source !== frame.contentWindow || typeof event.data !== 'object' || !event.data) return;
    if (event.data.pagewright === 'left') { this.mode(''); return; }
    if (event.data.pagewright !== 'picked') return;
    const text = value => String(value ?? '').slice(0, 5000);
    const picked = this.picked = { page: text(event.data.page), tag: text(event.data.tag), text: text(event.data.text), index: Number(event.data.index) || 0, image: event.data.image };
    this.form.hidden = false;
    this.form.querySelector('.picked-where').textContent = `${kinds[picked.tag] ?? (picked.image === null ? 'Text' : 'Picture')} in ${picked.page}`;
    for (const [name, value] of [['path', picked.page], ['old', picked.text], ['index', picked.index], ['new', picked.text]]) this.form.elements[name].value = value;
    const canWrite = picked.text !== '';
    this.form.querySelector('label').hidden = !canWrite;
    this.form.querySelector('.primary').hidden = !canWrite;
    (canWrite ? this.form.elements.new : this.form.querySelector('[data-ask]')).focus();
  }
  /** Points the next message at what was clicked. */
  ask() {
    const { page, tag, text, image } = this.picked;
    const what = image !== null ? `the picture${image ? ` “${image}”` : ''}` : text ? `the <${tag}> “${text.slice(0, 120)}”` : `the <${tag}>`;
    const field = document.querySelector('#prompt');
    field.value = `In ${page}, ${what}: ${field.value}`;
    field.dispatchEvent(new Event('input'));
    this.mode('');
    side.show('talk');
    field.focus();
  }
  /** Takes what the page says now around the preview, and loads the preview itself when every host has it. */
  async renew(isSettled) {
    const page = await takeAgain('.sitebar', '#notice p', 'preview-pane h2');
    if (!page) return;
    const open = page.querySelector('.tools > a');
    if (open && !this.querySelector('.tools > a')) this.querySelector('.tools').append(document.importNode(open, true));
    const fresh = page.querySelector('preview-pane');
    const next = fresh?.querySelector('.stage');
    if (!next) return;
    if (this.now === '') {
      this.dataset.view = fresh.dataset.view;
      this.dataset.number = fresh.dataset.number;
      this.form.elements.version.value = fresh.dataset.number;
    }
    if (!this.frame && this.now === '') this.stage.replaceWith(document.importNode(next, true));
    // A frame of another origin tells nobody where it is; it begins at the front page. It is a new frame, because one that
    // goes elsewhere would be a step for the back button.
    else if (this.frame && isSettled) { this.stage.dataset.live = next.dataset.live ?? ''; this.frame.replaceWith(this.frame.cloneNode()); }
    this.buttons();
  }
});

/** On a narrow screen either the chat or the preview is seen; wide ones show both. */
const side = {
  studio: document.querySelector('.studio'), buttons: document.querySelectorAll('.switch button'),
  show(which) {
    if (!this.studio) return;
    this.studio.dataset.show = which;
    for (const one of this.buttons) {
      one.setAttribute('aria-pressed', String(one.dataset.show === which));
      if (one.dataset.show === which) one.classList.remove('news');
    }
    if (which === 'talk') document.querySelector('.feed')?.scrollToEnd?.();
  },
  /** The preview is another now, and somebody may not see it. */
  news() { for (const one of this.buttons) if (one.dataset.show === 'preview' && this.studio.dataset.show === 'talk') one.classList.add('news'); },
};
for (const one of side.buttons) one.addEventListener('click', () => side.show(one.dataset.show));
if (side.studio) { document.querySelector('.switch').hidden = false; side.show('talk'); }

/** Live pictures of sites come after the page itself, one at a time, where somebody looks and while nobody types or clicks:
    each is a process of the browser. */
const pictures = {
  waiting: [], open: 0, touched: -Infinity, timer: 0,
  next() {
    clearTimeout(this.timer);
    const rest = this.touched + 800 - performance.now();
    if (rest > 0 && this.waiting.length) { this.timer = setTimeout(() => this.next(), rest); return; }
    while (this.open < 1 && this.waiting.length) {
      const frame = this.waiting.shift();
      this.open += 1;
      const done = () => { clearTimeout(limit); if (!frame.dataset.src) return; delete frame.dataset.src; this.open -= 1; this.next(); };
      const limit = setTimeout(done, 4000);
      frame.addEventListener('load', done, { once: true });
      frame.hidden = false;
      frame.src = frame.dataset.src;
    }
  },
  begin() {
    const frames = document.querySelectorAll('iframe[data-src]');
    if (!frames.length) return;
    for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, () => { this.touched = performance.now(); }, { passive: true, capture: true });
    const watch = new IntersectionObserver(seen => {
      for (const entry of seen) if (entry.isIntersecting) { watch.unobserve(entry.target); this.waiting.push(entry.target.querySelector('iframe')); }
      this.next();
    });
    for (const frame of frames) watch.observe(frame.parentElement);
  },
};
const whenQuiet = window.requestIdleCallback ?? (work => setTimeout(work, 200));
if (document.readyState === 'complete') whenQuiet(() => pictures.begin());
else addEventListener('load', () => whenQuiet(() => pictures.begin()));

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
    queueMicrotask(() => {
      if (sessionStorage.getItem('resend') !== key) return;
      sessionStorage.removeItem('resend');
      if (field.value.trim()) form.requestSubmit();
    });
    form.addEventListener('submit', async event => {
      event.preventDefault();
      if (form.dataset.sending) return;
      form.dataset.sending = 'yes';
      const button = form.querySelector('button.primary');
      button.disabled = true;
      const slow = setTimeout(() => toast('Still waiting for the server to take your message…'), 5000);
      try {
        const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, event.submitter)) });
        const place = new URL(answer.url);
        if (answer.status === 401 || place.pathname === '/login') {
          // The session is over: the message waits here, and goes out by itself after the log-in.
          sessionStorage.setItem('resend', key);
          location.href = `/login?next=${encodeURIComponent(location.pathname)}`;
          return;
        }
        document.querySelector('.ask .banner')?.remove();
        if (!answer.ok) {
          const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
          const banner = page.querySelector('.ask .banner');
          if (banner) form.prepend(document.importNode(banner, true));
          else toast(refusal(page));
          return;
        }
        field.value = '';
        localStorage.removeItem(key);
        form.elements.once.value = fresh();
        const part = document.querySelector('live-part');
        if (location.search) { location.href = place.pathname; return; }
        await part.refresh();
        part.scrollTop = part.scrollHeight;
      } catch (error) {
        toast(error.message === 'Failed to fetch' ? 'The server does not answer. Your message is kept; send it again.' : error.message);
      } finally {
        clearTimeout(slow);
        delete form.dataset.sending;
        button.disabled = false;
        field.focus();
      }
    });
  }
});

/** A number that is used once. */
function fresh() {
  return [...crypto.getRandomValues(new Uint8Array(32))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

function refusal(page) {
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

/** While the server cannot be reached, what needs it cannot be pressed, and says why. Writing goes on. */
function offline(isAway) {
  for (const button of document.querySelectorAll('form[method=post] button:not([type=button])')) {
    if (isAway && !button.disabled) { button.disabled = true; button.dataset.away = button.title; button.title = 'The server does not answer just now'; }
    if (!isAway && 'away' in button.dataset) { button.disabled = false; button.title = button.dataset.away; delete button.dataset.away; }
  }
}

/** A page that does not come at once is drawn as it will be; after five seconds it says what is awaited. */
const opening = {
  timers: [], shown: null,
  begin(what, path) {
    this.end();
    this.timers = [setTimeout(() => this.draw(what, path), 150), setTimeout(() => this.say(`Still waiting for the server: ${what}`), 5000)];
  },
  draw(what, path) {
    const main = document.querySelector('main');
    this.shown = document.createElement('main');
    this.shown.className = `skeleton ${path.endsWith('/studio') ? 'studio-like' : /^\/sites(\/new)?$/.test(path) ? 'cards' : ''}`;
    this.shown.setAttribute('aria-busy', 'true');
    this.shown.setAttribute('aria-label', what);
    for (let count = 0; count < 4; count += 1) this.shown.append(document.createElement('div'));
    const heading = document.createElement('h1');
    heading.className = 'hidden';
    heading.textContent = `${what[0].toUpperCase()}${what.slice(1)}…`;
    this.shown.append(heading);
    main.hidden = true;
    main.after(this.shown);
  },
  say(text) {
    const note = document.createElement('p');
    note.setAttribute('role', 'status');
    note.textContent = `${text}. Escape goes back to the page before.`;
    this.shown?.prepend(note);
  },
  end() {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.shown?.remove();
    this.shown = null;
    document.querySelector('main').hidden = false;
  },
};
document.addEventListener('click', event => {
  const link = event.target.closest?.('a[href]');
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const isElsewhere = link.origin !== location.origin || link.target || link.hasAttribute('download');
  if (isElsewhere || (link.hash && link.pathname === location.pathname && link.search === location.search)) return;
  opening.begin(`opening “${link.textContent.trim().replace(/\s+/g, ' ').slice(0, 60)}”`, link.pathname);
});
addEventListener('pageshow', event => { if (event.persisted) opening.end(); });
document.addEventListener('keydown', event => { if (event.key === 'Escape' && opening.timers.length) { window.stop(); opening.end(); } });

/** Times as people say them. */
function tidy(root) {
  const say = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const time of root.querySelectorAll('time[datetime]')) {
    const then = new Date(time.dateTime);
    time.title = then.toLocaleString();
    if ('absolute' in time.dataset) { time.textContent = then.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }); continue; }
    const seconds = Math.round((then - Date.now()) / 1000);
    if ('elapsed' in time.dataset) { const seconds = Math.max(0, Math.round((Date.now() - then) / 1000)); time.textContent = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`; continue; }
    const [unit, size] = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]].find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
    time.textContent = Math.abs(seconds) > 7 * 86400 ? then.toLocaleDateString() : say.format(Math.round(seconds / size), unit);
  }
}
tidy(document);
setInterval(() => tidy(document), 30000);
setInterval(() => { if (document.querySelector('time[data-elapsed]')) tidy(document); }, 1000);

// Shortcuts and the palette.
const places = () => {
  const seen = new Set();
  return [...document.querySelectorAll('.mainnav a, .sitebar nav a, .who > a, .card.site h2 a, main .head a.button')]
    .map(link => ({ text: link.textContent.trim(), href: link.href }))
    .concat(document.querySelector('.who') ? [{ text: 'New site', href: '/sites/new' }] : [])
    .filter(place => place.text && !seen.has(place.text) && seen.add(place.text));
};
const isTyping = target => target.closest?.('input, textarea, select, [contenteditable]') != null;

function palette() {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', 'Go to');
  dialog.className = 'goto';
  const field = document.createElement('input');
  field.type = 'search';
  field.placeholder = 'Go to a page or a site…';
  for (const [name, value] of [['aria-label', 'Go to a page or a site'], ['role', 'combobox'], ['aria-expanded', 'true'], ['aria-controls', 'goto-list'], ['autocomplete', 'off']]) field.setAttribute(name, value);
  const list = document.createElement('ul');
  list.id = 'goto-list';
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', 'Places');
  let chosen = 0, sites = [], asked = 0;
  const draw = () => {
    const word = field.value.trim().toLowerCase();
    const found = places().filter(place => place.text.toLowerCase().includes(word));
    for (const site of sites) if (!found.some(place => place.href === site.href)) found.push(site);
    if (word) found.push({ text: `Search sites for “${field.value.trim()}”`, href: `/sites?q=${encodeURIComponent(field.value.trim())}` });
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    list.replaceChildren(...found.map((place, index) => {
      const link = document.createElement('a');
      link.href = place.href;
      link.textContent = place.text;
      link.id = `goto-${index}`;
      link.tabIndex = -1;
      link.setAttribute('role', 'option');
      link.setAttribute('aria-selected', String(index === chosen));
      return link;
    }));
    field.setAttribute('aria-activedescendant', `goto-${chosen}`);
    list.children[chosen]?.scrollIntoView({ block: 'nearest' });
  };
  field.addEventListener('input', async () => {
    chosen = 0;
    draw();
    const number = ++asked;
    const answer = await fetch(`/sites/found?q=${encodeURIComponent(field.value.trim())}`).catch(() => null);
    if (number !== asked || !answer?.ok || answer.redirected) return;
    const part = new DOMParser().parseFromString(await answer.text(), 'text/html');
    sites = [...part.querySelectorAll('a')].map(link => ({ text: link.textContent, href: new URL(link.getAttribute('href'), location.href).href }));
    draw();
  });
  field.addEventListener('keydown', event => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); chosen += event.key === 'ArrowDown' ? 1 : -1; draw(); }
    if (event.key === 'Enter') { event.preventDefault(); list.querySelector('[aria-selected=true]')?.click(); }
    // A search field would only empty itself.
    if (event.key === 'Escape') { event.preventDefault(); dialog.close(); }
  });
  dialog.append(field, list);
  show(dialog);
  draw();
}
for (const opener of document.querySelectorAll('[data-palette]')) { opener.hidden = false; opener.addEventListener('click', palette); }

function shortcuts() {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', 'Keyboard shortcuts');
  const heading = document.createElement('h2');
  heading.textContent = 'Keyboard shortcuts';
  const list = document.createElement('dl');
  list.className = 'facts';
  for (const [keys, text] of [['Ctrl K', 'Go to…'], ['/', 'Search, or write to your site'], ['Ctrl Enter', 'Send the message'], ['Tab, Enter', 'Go from text to text while pointing, and pick one'], ['?', 'This list'], ['Esc', 'Close']]) {
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

// What waited for the log-in goes out by itself.
document.querySelector('form[data-resume]')?.requestSubmit();

// An address is suggested from the name until somebody writes their own.
for (const form of document.querySelectorAll('form:has([name=slug])')) {
  const { name, slug } = form.elements;
  let isOwn = slug.value !== '';
  slug.addEventListener('input', () => { isOwn = slug.value !== ''; });
  name.addEventListener('input', () => {
    if (!isOwn) slug.value = name.value.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/['’]/g, '').replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 40).replace(/-$/, '');
  });
}

/** A folder as a .tar.gz, made here: for each file a header of 512 bytes, its bytes, and zeros up to the next 512. */
async function packed(entries) {
  const text = new TextEncoder(), parts = [];
  const add = (name, type, size, content) => {
    const header = new Uint8Array(512);
    const put = (place, value) => header.set(text.encode(value), place);
    const octal = (number, digits) => `${number.toString(8).padStart(digits, '0')}\0`;
    for (const [place, value] of [[0, name], [100, octal(0o644, 7)], [108, octal(0, 7)], [116, octal(0, 7)], [124, octal(size, 11)],
      [136, octal(0, 11)], [148, ' '.repeat(8)], [156, type], [257, 'ustar\x0000']]) put(place, value);
    put(148, octal(header.reduce((sum, byte) => sum + byte, 0), 6));
    parts.push(header, content, new Uint8Array((512 - size % 512) % 512));
  };
  for (const { path, file } of entries) {
    // The header holds 100 plain letters; every other name goes before it, with its length in front.
    if (!/^[\x20-\x7e]{1,100}$/.test(path)) {
      const rest = ` path=${path}\n`, size = text.encode(rest).length;
      let length = size;
      while (String(length).length + size !== length) length = String(length).length + size;
      add('name', 'x', length, `${length}${rest}`);
    }
    add(/^[\x20-\x7e]{1,100}$/.test(path) ? path : 'file', '0', file.size, file);
  }
  parts.push(new Uint8Array(1024));
  const stream = new Blob(parts).stream().pipeThrough(new CompressionStream('gzip'));
  return new File([await new Response(stream).blob()], 'folder.tar.gz', { type: 'application/gzip' });
}

/** All files below what was dropped. */
async function filesIn(entry, path = entry.name) {
  if (entry.isFile) return [{ path, file: await new Promise((take, refuse) => entry.file(take, refuse)) }];
  const reader = entry.createReader(), found = [];
  // A folder is told in pieces, until a piece is empty.
  for (;;) {
    const piece = await new Promise((take, refuse) => reader.readEntries(take, refuse));
    if (!piece.length) return (await Promise.all(found.map(one => filesIn(one, `${path}/${one.name}`)))).flat();
    found.push(...piece);
  }
}

// An archive, files or a folder can be dropped anywhere on their form.
for (const form of document.querySelectorAll('form[data-drop]')) {
  const input = form.querySelector('input[type=file]');
  const note = document.createElement('p');
  note.className = 'hint';
  note.setAttribute('role', 'status');
  const take = async entries => {
    // Where everything is in one folder, that folder is the site. What is hidden stays at home.
    const root = entries[0]?.path.split('/')[0];
    const isOne = entries.every(({ path }) => path.startsWith(`${root}/`));
    const wanted = entries.map(({ path, file }) => ({ path: isOne ? path.slice(root.length + 1) : path, file }))
      .filter(({ path }) => !path.split('/').some(part => part.startsWith('.') && part !== '.well-known'));
    if (!wanted.length) { note.textContent = 'There is no file in it.'; return; }
    const box = new DataTransfer();
    box.items.add(await packed(wanted));
    input.files = box.files;
    note.textContent = `${wanted.length} ${wanted.length === 1 ? 'file' : 'files'} of “${isOne ? root : 'your choice'}”, ready to upload.`;
  };
  const folder = document.createElement('input');
  folder.type = 'file';
  folder.webkitdirectory = true;
  folder.hidden = true;
  folder.addEventListener('change', () => take([...folder.files].map(file => ({ path: file.webkitRelativePath, file }))));
  const choose = document.createElement('button');
  choose.type = 'button';
  choose.textContent = 'Choose a folder instead';
  choose.addEventListener('click', () => folder.click());
  input.closest('label').after(choose, folder, note);
  input.addEventListener('change', () => { note.textContent = ''; });
  form.addEventListener('dragover', event => { event.preventDefault(); form.classList.add('dropping'); });
  form.addEventListener('dragleave', () => form.classList.remove('dropping'));
  form.addEventListener('drop', async event => {
    event.preventDefault();
    form.classList.remove('dropping');
    const { files, items } = event.dataTransfer;
    const entries = [...items].map(item => item.webkitGetAsEntry()).filter(Boolean);
    if (files.length === 1 && /\.(zip|tar|gz|tgz)$/i.test(files[0].name)) { input.files = files; note.textContent = ''; return; }
    await take(entries.length ? (await Promise.all(entries.map(entry => filesIn(entry)))).flat() : [...files].map(file => ({ path: file.name, file })));
  });
}
