/** What the reader takes away: files of the API, and charts as pictures. */

/// <reference lib="dom" />

import { fileName } from "../cards.ts";
import { linesOf, placesOf } from "../lines.ts";
import { Lost, resultOf, send } from "./api.ts";

/** How sharp a picture is: pixels for each pixel of the screen. */
const SHARPNESS = 2;
const MARGIN = 24;
const TITLE = { size: 16, weight: 600, line_height: 24 };
const WORDS = { size: 12, weight: 400, line_height: 18 };
const LEGEND_LINE = 24;
const SWATCH = 18;
const NAME_GAP = 18;
/** Between words and what is drawn. */
const GAP = 10;
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

/** Saves an answer of the API with the name of its link or, without one, of the server; returns why it failed, and throws `Lost` where nobody answers. */
export async function saveAnswer(link: HTMLElement): Promise<string | null> {
  const response = await send(link.getAttribute("href")!);
  if (!response.ok) {
    return ((await resultOf(response)).body as { error: string }).error;
  }
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const [, name] = /filename="([^"]+)"/.exec(disposition) ?? [];
  const blob = await response.blob().catch(() => {
    throw new Lost();
  });
  save(blob, link.getAttribute("download") || name || "tally");
  return null;
}

/** Saves a chart as SVG, with its title and its legend. */
export function saveSvg(card: HTMLElement): void {
  save(
    new Blob([svgText(card).text], { type: "image/svg+xml" }),
    fileName(titleOf(card), "svg"),
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
    if (png) save(png, fileName(titleOf(card), "png"));
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
  const style = getComputedStyle(card);
  const title = fitted(titleOf(card), { ...TITLE, style, width: outer.width });
  const { textContent: summary } = card.querySelector(".summary")!;
  const words = fitted(summary!, { ...WORDS, style, width: outer.width });
  const places = placesOf(
    names.map((name) =>
      Math.ceil(name.getBoundingClientRect().width) + NAME_GAP
    ),
    outer.width,
  );
  const title_bottom = MARGIN + title.length * TITLE.line_height;
  const words_bottom = title_bottom + words.length * WORDS.line_height + GAP;
  const legend_lines = places.length === 0 ? 0 : places.at(-1)!.line + 1;
  const top = words_bottom + legend_lines * LEGEND_LINE;
  const width = Math.ceil(outer.width + 2 * MARGIN);
  const height = Math.ceil(top + inner.height + MARGIN);

  const picture = document.createElementNS(SVG, "svg");
  setAll(picture, {
    xmlns: SVG,
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
  });
  const ground = document.createElementNS(SVG, "rect");
  setAll(ground, { width, height, fill: style.backgroundColor });
  const text = (
    words: string,
    { x = MARGIN, y, of: { size, weight } }: {
      readonly x?: number;
      readonly y: number;
      readonly of: typeof WORDS;
    },
  ) => {
    const made = document.createElementNS(SVG, "text");
    setAll(made, {
      x,
      y,
      fill: style.color,
      "font-family": style.fontFamily,
      "font-size": size,
      "font-weight": weight,
    });
    made.textContent = words;
    return made;
  };
  picture.append(
    ground,
    ...title.map((line, i) =>
      text(line, { y: MARGIN + TITLE.size + i * TITLE.line_height, of: TITLE })
    ),
    ...words.map((line, i) =>
      text(line, {
        y: title_bottom + WORDS.size + i * WORDS.line_height,
        of: WORDS,
      })
    ),
  );
  for (const [i, name] of names.entries()) {
    const x = MARGIN + places[i].x;
    const y = words_bottom + places[i].line * LEGEND_LINE;
    const swatch = drawnClone(name.querySelector("svg")!);
    setAll(swatch, { x, y });
    picture.append(
      swatch,
      text(name.textContent!, { x: x + SWATCH, y: y + 10, of: WORDS }),
    );
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

/** A text in lines as wide as the picture. */
function fitted(
  text: string,
  { size, weight, style, width }: {
    readonly size: number;
    readonly weight: number;
    readonly style: CSSStyleDeclaration;
    readonly width: number;
  },
): string[] {
  const context = document.createElement("canvas").getContext("2d")!;
  context.font = `${weight} ${size}px ${style.fontFamily}`;
  const widthOf = (text: string) => context.measureText(text).width;
  return linesOf(text, { width, widthOf });
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
