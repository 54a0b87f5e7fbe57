/** Words of SVG and HTML; every text is escaped here, colours come from the page's styles so that they follow its scheme. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const MARGIN = 12;

type Attributes = Readonly<Record<string, string | number>>;

function opened(name: string, attributes: Attributes): string {
  const words = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === 'number' ? String(Number(value.toFixed(2))) : value;
    return ` ${key}="${escaped(text)}"`;
  });
  return `<${name}${words.join('')}`;
}

/** `inner` is markup already. */
export function element(name: string, attributes: Attributes, inner = ''): string {
  return `${opened(name, attributes)}>${inner}</${name}>`;
}

export function textAt(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(text));
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return element('line', { x1, y1, x2, y2, class: kind });
}

/** Inside of a page, whose styles colour it. */
export function picture(width: number, height: number, label: string, inner: string): string {
  return element('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, inner);
}

const FOOT_HEIGHT = 22;

/** The same as a file of its own: it brings its colours along, a background, and a line that says where its figures come from. */
export function standingAlone(svg: string, styles: string, origin: string): string {
  const start = '<svg';
  const [head = '', width = '', height = ''] = /^<svg viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  if (head === '') throw new Error('a picture without its size');
  const bottom = Number(height) + FOOT_HEIGHT;
  const box = `viewBox="${-MARGIN} ${-MARGIN} ${Number(width) + 2 * MARGIN} ${bottom + 2 * MARGIN}"`;
  const shapes = svg.slice(svg.indexOf('>') + 1, svg.lastIndexOf('</svg>'));
  const label = svg.slice(head.length, svg.indexOf('>') + 1);
  const back = element('rect', {
    x: -MARGIN,
    y: -MARGIN,
    width: Number(width) + 2 * MARGIN,
    height: bottom + 2 * MARGIN,
    class: 'back',
  });
  const foot = textAt(0, bottom - 4, origin, { class: 'soft origin' });
  const inner = element('g', { class: 'c' }, back) + shapes + element('g', { class: 'c' }, foot);
  return `${start} xmlns="http://www.w3.org/2000/svg" ${box}${label}${element('style', {}, styles)}${inner}</svg>`;
}
