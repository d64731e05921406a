/** The colours of charts in dashboard.css: far enough from each other for every kind of colour vision, and from the cards. */

import { assert, assertEquals } from "@std/assert";

/** Red, green and blue, linear, from 0 to 1. */
type Rgb = readonly number[];
type Matrix = readonly Rgb[];

const CSS = await Deno.readTextFile(
  new URL("../../dashboard/dashboard.css", import.meta.url),
);

/** In OKLab, where white is 1 away from black. */
const LEAST_DISTANCE = 0.06;
/** For parts of a picture: WCAG 2.2, 1.4.11. */
const LEAST_CONTRAST = 3;

// Machado, Oliveira and Fernandes (2009), severity 1.
const SIGHTS: Readonly<Record<string, Matrix>> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

// https://bottosson.github.io/posts/oklab/
const TO_CONES: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const TO_OKLAB: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

function times(matrix: Matrix, value: Rgb): Rgb {
  return matrix.map((row) =>
    row.reduce((sum, factor, i) => sum + factor * value[i], 0)
  );
}

function rgbOf(hex: string): Rgb {
  return [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
}

function oklabOf(rgb: Rgb): Rgb {
  const seen = rgb.map((part) => Math.max(0, part));
  return times(TO_OKLAB, times(TO_CONES, seen).map(Math.cbrt));
}

function distance(a: string, { to, sight }: { to: string; sight: Matrix }) {
  const [left, right] = [a, to]
    .map((hex) => oklabOf(times(sight, rgbOf(hex))));
  return Math.hypot(...left.map((part, i) => part - right[i]));
}

function contrast(a: string, b: string): number {
  const [dark, light] = [a, b]
    .map((hex) => times([[0.2126, 0.7152, 0.0722]], rgbOf(hex))[0])
    .sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const [, light, dark] = CSS.split(":root {");

for (const [theme, css] of Object.entries({ light, dark })) {
  const valueOf = (name: string) =>
    new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(css)![1];
  const tones = Array.from({ length: 8 }, (_, i) => valueOf(`tone-${i + 1}`));

  Deno.test(`the ${theme} colours of charts differ with every kind of colour vision`, () => {
    for (const [name, sight] of Object.entries(SIGHTS)) {
      for (const [i, tone] of tones.entries()) {
        for (const to of tones.slice(i + 1)) {
          const found = distance(tone, { to, sight });
          assert(found >= LEAST_DISTANCE, `${name}: ${tone} ${to} ${found}`);
        }
      }
    }
  });

  Deno.test(`the ${theme} colours of charts stand out from the cards`, () => {
    for (const tone of tones) {
      const found = contrast(tone, valueOf("card"));
      assert(found >= LEAST_CONTRAST, `${tone} ${found}`);
    }
  });
}

Deno.test("distances and contrasts are measured as they are defined", () => {
  assertEquals(contrast("#000000", "#ffffff"), 21);
  const sight = SIGHTS.normal;
  const white = distance("#000000", { to: "#ffffff", sight });
  assertEquals(white.toFixed(3), "1.000");
});
