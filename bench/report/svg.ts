/** Words of SVG and HTML; every text is escaped here, colours come from the page's styles so that they follow its scheme. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

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

/** The same as a file of its own: it brings its colours along. */
export function standingAlone(svg: string, styles: string): string {
  const start = '<svg';
  const headEnd = svg.indexOf('>') + 1;
  const head = `${start} xmlns="http://www.w3.org/2000/svg"${svg.slice(start.length, headEnd)}`;
  return `${head}<style>${styles}</style>${svg.slice(headEnd)}`;
}
