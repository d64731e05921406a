/** The few pictures that the page has; each stands beside a text, or has one that is only read out. */

/** The mark of Tally: four strokes, and a fifth across. */
export function Brand() {
  return (
    <svg
      class="brand-mark"
      viewBox="0 0 32 32"
      width="28"
      height="28"
      aria-hidden="true"
    >
      <path class="strokes" d="M8 7v18M13.3 7v18M18.7 7v18M24 7v18" />
      <path class="across" d="M4 22 28 10" />
    </svg>
  );
}

const PATHS = {
  more: "M5.5 12h.5M12 12h.5M18.5 12h.5",
  question: "M9.2 9a2.9 2.9 0 1 1 4 2.7c-.8.4-1.2 1-1.2 1.8M12 17h.01",
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9l6 6 6-6",
  up: "M6 15l6-6 6 6",
  search: "M15.5 15.5 20 20M17 10.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z",
  check: "M5 12.5 10 17 19 7",
} as const;

/** A picture in the size and colour of the text around it. */
export function Icon({ of }: { readonly of: keyof typeof PATHS }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      aria-hidden="true"
    >
      <path d={PATHS[of]} />
    </svg>
  );
}
