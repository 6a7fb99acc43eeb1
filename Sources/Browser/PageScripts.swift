/// Small programs that run in a page.
enum PageScripts {
    /// How far the page is wider than its window, and by what.
    static let overflow = """
        (() => {
          const width = document.documentElement.clientWidth;
          const over = Math.max(document.documentElement.scrollWidth, document.body ? document.body.scrollWidth : 0) - width;
          const found = [];
          if (over > 1) {
            for (const element of document.querySelectorAll('body *')) {
              const box = element.getBoundingClientRect();
              if (box.width > 0 && box.right > width + 1 && getComputedStyle(element).position !== 'fixed') {
                const name = element.tagName.toLowerCase() + (element.id ? '#' + element.id : '')
                  + (typeof element.className === 'string' && element.className ? '.' + element.className.trim().split(/\\s+/)[0] : '');
                if (!found.includes(name)) found.push(name);
                if (found.length >= 3) break;
              }
            }
          }
          return { over: Math.round(over), found, height: Math.ceil(document.documentElement.scrollHeight) };
        })()
        """

    /// What machines that read pages aloud stumble over.
    static let structure = """
        (() => {
          const ids = {}; const twice = [];
          for (const element of document.querySelectorAll('[id]')) {
            if (ids[element.id] && !twice.includes(element.id)) twice.push(element.id);
            ids[element.id] = true;
          }
          return {
            language: document.documentElement.lang, title: document.title,
            viewport: !!document.querySelector('meta[name=viewport]'),
            headings: document.querySelectorAll('h1').length, twice: twice.slice(0, 5),
          };
        })()
        """

    /// Where two pictures differ: boxes of a grid of 16 pixels, joined while they touch; at most 24.
    static func difference(_ before: String, _ after: String) -> String {
        """
        (async () => {
          const load = data => new Promise((done, failed) => {
            const image = new Image(); image.onload = () => done(image); image.onerror = failed;
            image.src = 'data:image/png;base64,' + data;
          });
          const [a, b] = await Promise.all([load("\(before)"), load("\(after)")]);
          const width = Math.max(a.width, b.width), height = Math.max(a.height, b.height), step = 16;
          const pixels = image => {
            const canvas = new OffscreenCanvas(width, height); const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0); return context.getImageData(0, 0, width, height).data;
          };
          const [p, q] = [pixels(a), pixels(b)];
          const columns = Math.ceil(width / step), rows = Math.ceil(height / step);
          const marked = new Uint8Array(columns * rows);
          for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
            const i = (y * width + x) * 4;
            if (Math.abs(p[i] - q[i]) + Math.abs(p[i + 1] - q[i + 1]) + Math.abs(p[i + 2] - q[i + 2]) + Math.abs(p[i + 3] - q[i + 3]) > 24)
              marked[(y / step | 0) * columns + (x / step | 0)] = 1;
          }
          const boxes = [];
          for (let start = 0; start < marked.length; start++) {
            if (!marked[start]) continue;
            let left = columns, right = 0, top = rows, bottom = 0; const open = [start]; marked[start] = 0;
            while (open.length) {
              const cell = open.pop(), x = cell % columns, y = cell / columns | 0;
              left = Math.min(left, x); right = Math.max(right, x); top = Math.min(top, y); bottom = Math.max(bottom, y);
              for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) {
                const nx = x + dx, ny = y + dy;
                if (nx < 0 || ny < 0 || nx >= columns || ny >= rows) continue;
                const next = ny * columns + nx;
                if (marked[next]) { marked[next] = 0; open.push(next); }
              }
            }
            boxes.push({ x: left * step, y: top * step, width: (right - left + 1) * step, height: (bottom - top + 1) * step });
          }
          return boxes.sort((m, n) => n.width * n.height - m.width * m.height).slice(0, 24);
        })()
        """
    }
}
