/**
 * Every pair of colours that meets on the screen, with the contrast it needs (WCAG 2.2, level AA):
 * 4.5 for text (1.4.3), 3 for icons, borders of controls and focus rings (1.4.11).
 *
 * Left out, as WCAG does: what is disabled, and what only decorates (separators, gradients).
 */

export const TEXT = 4.5;
export const PART = 3;

/** @typedef {readonly [foreground: string, background: string, atLeast: number]} Pair */

/** Grounds a message, a room in the list or a dialog can have. */
const GROUNDS = [
  "bg-canvas-default",
  "bg-canvas-default-level-1",
  "bg-canvas-disabled",
  "bg-subtle-secondary",
  "bg-subtle-secondary-level-0",
  "bg-subtle-tertiary",
  "bg-action-secondary-rest",
  "bg-action-secondary-hovered",
  "bg-action-tertiary-rest",
  "bg-action-tertiary-hovered",
];
/** Grounds of a selected or pressed row: they carry text and the plain icons. */
const CHOSEN = ["bg-subtle-primary", "bg-action-secondary-pressed", "bg-action-tertiary-selected", "bg-accent-selected"];
const COLOURED_TEXT = [
  "text-action-accent",
  "text-action-success",
  "text-link-external",
  "text-critical-primary",
  "text-success-primary",
  "text-info-primary",
  "text-warning-primary",
];
/** The colours of people's names; Compound's own, on our grounds. */
const NAMES = [1, 2, 3, 4, 5, 6].map((n) => `text-decorative-${n}`);
const SOLIDS = [
  "bg-action-primary-rest",
  "bg-action-primary-hovered",
  "bg-action-primary-pressed",
  "bg-critical-primary",
  "bg-critical-hovered",
  "bg-success-rest",
  "bg-success-hovered",
  "bg-success-pressed",
  "bg-accent-rest",
  "bg-accent-hovered",
  "bg-accent-pressed",
];
const ICONS = [
  "icon-primary",
  "icon-secondary",
  "icon-tertiary",
  "icon-accent-primary",
  "icon-accent-tertiary",
  "icon-critical-primary",
  "icon-success-primary",
  "icon-info-primary",
  "icon-warning-primary",
];
const BORDERS = [
  "border-focused",
  "border-interactive-primary",
  "border-interactive-secondary",
  "border-interactive-hovered",
  "border-critical-primary",
  "border-critical-hovered",
  "border-success-primary",
  "border-accent-primary",
];

const cross = (foregrounds, backgrounds, atLeast) =>
  foregrounds.flatMap((foreground) => backgrounds.map((background) => [foreground, background, atLeast]));

/** Pairs of Compound tokens, without `--cpd-color-`. @type {Pair[]} */
export const compoundPairs = [
  ...cross(["text-primary", "text-secondary", "text-action-primary"], [...GROUNDS, ...CHOSEN], TEXT),
  ...cross(COLOURED_TEXT, GROUNDS, TEXT),
  ...cross(NAMES, ["bg-canvas-default", "bg-canvas-default-level-1", "bg-subtle-secondary"], TEXT),
  ...cross(["text-on-solid-primary"], SOLIDS, TEXT),
  ["text-action-accent", "bg-accent-selected", TEXT],
  ["text-action-accent", "bg-accent-subtle", TEXT],
  ["text-primary", "bg-critical-subtle", TEXT],
  ["text-critical-primary", "bg-critical-subtle", TEXT],
  ["text-critical-primary", "bg-critical-subtle-hovered", TEXT],
  ["text-critical-primary", "bg-badge-critical", TEXT],
  ["text-primary", "bg-success-subtle", TEXT],
  ["text-success-primary", "bg-success-subtle", TEXT],
  ["text-primary", "bg-info-subtle", TEXT],
  ["text-info-primary", "bg-info-subtle", TEXT],
  ["text-badge-accent", "bg-badge-accent", TEXT],
  ["text-badge-info", "bg-badge-info", TEXT],
  ["text-primary", "bg-badge-default", TEXT],
  ["text-secondary", "bg-badge-default", TEXT],
  ["text-primary", "bg-badge-secondary", TEXT],
  ["text-on-solid-primary", "bg-badge-primary", TEXT],
  // A badge takes an icon's colour as its ground and counts on it.
  ["text-on-solid-primary", "icon-secondary", TEXT],
  ["text-on-solid-primary", "icon-critical-primary", TEXT],
  ...cross(ICONS, [...GROUNDS, "bg-subtle-primary"], PART),
  ...cross(["icon-on-solid-primary"], SOLIDS, PART),
  ["icon-critical-primary", "bg-critical-subtle", PART],
  ["icon-success-primary", "bg-success-subtle", PART],
  ["icon-info-primary", "bg-info-subtle", PART],
  ...cross(BORDERS, GROUNDS, PART),
];

/** Grounds of the older style sheets. */
const LEGACY_GROUNDS = [
  "timeline-background-color",
  "timeline-highlights-color",
  "roomlist-background-color",
  "roomlist-highlights-color",
  "system",
  "panels",
  "panels-actions",
  "menu-selected-color",
  "focus-bg-color",
  "eventbubble-self-bg",
  "eventbubble-others-bg",
  "eventbubble-bg-hover",
  "reaction-row-button-selected-bg-color",
];
const LEGACY_TEXT = [
  "primary-content",
  "secondary-content",
  "tertiary-content",
  "quaternary-content",
  "roomlist-text-color",
  "roomlist-text-secondary-color",
  "timeline-text-color",
  "timeline-text-secondary-color",
];
const WHITE = "#ffffff";

/** Pairs of `colors`; `#ffffff` where Element fixes the text's colour. @type {Pair[]} */
export const legacyPairs = [
  ...cross(LEGACY_TEXT, LEGACY_GROUNDS, TEXT),
  ...cross(
    ["links", "primary-color"],
    ["timeline-background-color", "timeline-highlights-color", "roomlist-background-color"],
    TEXT,
  ),
  ...cross(
    [WHITE],
    ["accent-color", "alert", "warning-color", "sidebar-color", "room-highlight-color", "other-user-pill-bg-color"],
    TEXT,
  ),
  ...cross(
    ["accent-color", "alert", "warning-color", "icon-button-color", "strong-input-border-color", "togglesw-off-color"],
    ["timeline-background-color", "roomlist-background-color"],
    PART,
  ),
];

/** Where the two halves of Element's style sheets meet: a Compound token on a ground of `colors`. @type {Pair[]} */
export const mixedPairs = [
  ...cross(["text-primary", "text-secondary", ...NAMES], ["timeline-highlights-color", "roomlist-background-color"], TEXT),
  ...cross(
    ["icon-primary", "icon-secondary", "icon-tertiary", "icon-accent-primary", "icon-critical-primary", "border-focused"],
    ["timeline-highlights-color", "roomlist-background-color", "timeline-background-color"],
    PART,
  ),
];
