/** What the reader takes away: files of the API, and charts as pictures. */

/// <reference lib="dom" />

import { Lost, resultOf, send } from "./api.ts";

/** How sharp a picture is: pixels for each pixel of the screen. */
const SHARPNESS = 2;
const MARGIN = 24;
const TITLE_HEIGHT = 52;
const LEGEND_HEIGHT = 24;
const SVG = "http://www.w3.org/2000/svg";
/** What of a style a picture needs to look as on the page. */
const DRAWN = [
  "fill",
  "stroke",
  "stroke-width",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
  "display",
];

/** Saves an answer of the API with the name that the server gives it; returns why it failed, and throws `Lost` where nobody answers. */
export async function saveAnswer(path: string): Promise<string | null> {
  const response = await send(path);
  if (!response.ok) {
    return ((await resultOf(response)).body as { error: string }).error;
  }
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const [, name] = /filename="([^"]+)"/.exec(disposition) ?? [];
  const blob = await response.blob().catch(() => {
    throw new Lost();
  });
  save(blob, name ?? "tally");
  return null;
}

/** Saves a chart as SVG, with its title and its legend. */
export function saveSvg(card: HTMLElement): void {
  save(
    new Blob([svgText(card).text], { type: "image/svg+xml" }),
    `${nameOf(card)}.svg`,
  );
}

/** Saves a chart as PNG. */
export async function savePng(card: HTMLElement): Promise<void> {
  const { text, width, height } = svgText(card);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width * SHARPNESS;
    canvas.height = height * SHARPNESS;
    canvas.getContext("2d")!.drawImage(
      image,
      0,
      0,
      canvas.width,
      canvas.height,
    );
    const png = await new Promise<Blob | null>((done) => canvas.toBlob(done));
    if (png) save(png, `${nameOf(card)}.png`);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function nameOf(card: HTMLElement): string {
  return titleOf(card).toLowerCase().replaceAll(" ", "-");
}

function titleOf(card: HTMLElement): string {
  return card.querySelector("h3")!.textContent!;
}

/** The chart of a card as a picture that stands alone: styles as attributes, lengths in pixels. */
function svgText(card: HTMLElement) {
  const chart = card.querySelector<HTMLElement>(".chart")!;
  const plot = chart.querySelector<SVGSVGElement>("svg")!;
  const names = [...card.querySelectorAll<HTMLElement>(".legend-name")];
  const inner = plot.getBoundingClientRect();
  const outer = chart.getBoundingClientRect();
  const top = MARGIN + TITLE_HEIGHT + (names.length > 0 ? LEGEND_HEIGHT : 0);
  const width = Math.ceil(outer.width + 2 * MARGIN);
  const height = Math.ceil(top + inner.height + MARGIN);

  const picture = document.createElementNS(SVG, "svg");
  setAll(picture, {
    xmlns: SVG,
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
  });
  const style = getComputedStyle(card);
  const ground = document.createElementNS(SVG, "rect");
  setAll(ground, { width, height, fill: style.backgroundColor });
  const text = (
    words: string,
    { x, y, size }: {
      readonly x: number;
      readonly y: number;
      readonly size: number;
    },
  ) => {
    const made = document.createElementNS(SVG, "text");
    setAll(made, {
      x,
      y,
      fill: style.color,
      "font-family": style.fontFamily,
      "font-size": size,
      "font-weight": size > 13 ? 600 : 400,
    });
    made.textContent = words;
    return made;
  };
  const { textContent: summary } = card.querySelector(".summary")!;
  picture.append(
    ground,
    text(titleOf(card), { x: MARGIN, y: MARGIN + 14, size: 16 }),
    text(summary!, { x: MARGIN, y: MARGIN + 36, size: 12 }),
  );
  let x = MARGIN;
  for (const name of names) {
    const swatch = drawnClone(name.querySelector("svg")!);
    setAll(swatch, { x, y: MARGIN + TITLE_HEIGHT - 4 });
    picture.append(
      swatch,
      text(name.textContent!, {
        x: x + 18,
        y: MARGIN + TITLE_HEIGHT + 6,
        size: 12,
      }),
    );
    x += 18 + Math.ceil(name.getBoundingClientRect().width);
  }
  const drawn = drawnClone(plot);
  setAll(drawn, {
    x: MARGIN + inner.left - outer.left,
    y: top,
    width: inner.width,
    height: inner.height,
    overflow: "visible",
  });
  picture.append(drawn);
  return {
    text: new XMLSerializer().serializeToString(picture),
    width,
    height,
  };
}

/** A copy whose colours and letters do not come from the page's stylesheet. */
function drawnClone(svg: SVGSVGElement): SVGSVGElement {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const copies = copy.querySelectorAll("*");
  for (const [i, element] of svg.querySelectorAll("*").entries()) {
    const style = getComputedStyle(element);
    for (const name of DRAWN) {
      copies[i].setAttribute(name, style.getPropertyValue(name));
    }
    for (const name of ["class", "href", "tabindex"]) {
      copies[i].removeAttribute(name);
    }
  }
  copy.removeAttribute("class");
  return copy;
}

function setAll(
  element: Element,
  attributes: Readonly<Record<string, string | number>>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, `${value}`);
  }
}
