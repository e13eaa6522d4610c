/**
 * Which KERN colour plays which role in Element.
 *
 * A role names either a KERN token of meaning (`layout-text-default`), which is another colour in the light
 * and in the dark theme, or one colour of the palette for each: `["darkblue-750", "darkblue-250"]`.
 *
 * @typedef {string | readonly [light: string, dark: string]} Role
 */

const TEXT = "layout-text-default";
const MUTED = "layout-text-muted";
const CANVAS = "layout-background-default";
const HUED = "layout-background-hued";
const RAISED = "layout-background-level-1-surface";
const BORDER = "layout-border";
const LINE = "decorative-border-default";
const ACTION = "action-default";
const ON_ACTION = "action-on-default";
const FOCUS = "action-focus-default";
const DANGER = "feedback-danger";
const SUCCESS = "feedback-success";
const INFO = "feedback-info";
const WARNING = "feedback-warning";

// Chosen or pressed. KERN's own quiet ground is too light for muted text in the dark theme.
/** @type {Role} */
const QUIET = ["neutral-100", "neutral-850"];
/** @type {Role} */
const ACTION_HOVERED = ["darkblue-750", "darkblue-250"];
/** @type {Role} */
const ACTION_PRESSED = ["darkblue-800", "darkblue-200"];
/** @type {Role} */
const ACTION_TINT = ["darkblue-050", "darkblue-900"];
/** @type {Role} */
const DANGER_HOVERED = ["red-650", "red-350"];

/**
 * Tokens of Element's design system Compound, without `--cpd-color-`. Only tokens of meaning can be set:
 * Compound puts its palette into a cascade layer above the one for themes.
 *
 * @type {Readonly<Record<string, Role>>}
 */
export const COMPOUND = {
  "text-primary": TEXT,
  "text-secondary": MUTED,
  "text-action-primary": TEXT,
  "text-action-accent": ACTION,
  "text-action-success": SUCCESS,
  "text-link-external": ACTION,
  "text-critical-primary": DANGER,
  "text-success-primary": SUCCESS,
  "text-info-primary": INFO,
  "text-warning-primary": WARNING,
  "text-on-solid-primary": ON_ACTION,
  "text-badge-accent": ["darkblue-800", "darkblue-150"],
  "text-badge-info": ["lightblue-800", "lightblue-150"],

  "bg-canvas-default": CANVAS,
  "bg-canvas-default-level-1": RAISED,
  "bg-canvas-disabled": HUED,
  "bg-subtle-primary": QUIET,
  "bg-subtle-secondary": HUED,
  "bg-subtle-secondary-level-0": HUED,
  "bg-subtle-tertiary": HUED,
  "bg-action-primary-rest": ACTION,
  "bg-action-primary-hovered": ACTION_HOVERED,
  "bg-action-primary-pressed": ACTION_PRESSED,
  "bg-action-secondary-rest": CANVAS,
  "bg-action-secondary-hovered": HUED,
  "bg-action-secondary-pressed": QUIET,
  "bg-action-tertiary-rest": CANVAS,
  "bg-action-tertiary-hovered": HUED,
  "bg-action-tertiary-selected": QUIET,
  "bg-critical-primary": DANGER,
  "bg-critical-hovered": DANGER_HOVERED,
  "bg-critical-subtle": "feedback-danger-background",
  "bg-critical-subtle-hovered": ["red-025", "red-950"],
  "bg-success-subtle": "feedback-success-background",
  "bg-success-rest": SUCCESS,
  "bg-success-hovered": ["turquois-650", "turquois-350"],
  "bg-success-pressed": ["turquois-700", "turquois-300"],
  "bg-info-subtle": "feedback-info-background",
  "bg-accent-rest": ACTION,
  "bg-accent-hovered": ACTION_HOVERED,
  "bg-accent-pressed": ACTION_PRESSED,
  "bg-accent-selected": ACTION_TINT,
  "bg-accent-subtle": ACTION_TINT,
  "bg-badge-accent": ["darkblue-100", "darkblue-850"],
  "bg-badge-info": ["lightblue-100", "lightblue-850"],
  "bg-badge-default": CANVAS,
  "bg-badge-primary": TEXT,
  "bg-badge-secondary": QUIET,
  "bg-badge-critical": "feedback-danger-background",

  "border-focused": FOCUS,
  "border-interactive-primary": BORDER,
  "border-interactive-secondary": BORDER,
  "border-interactive-hovered": "form-input-border",
  "border-critical-primary": DANGER,
  "border-critical-hovered": DANGER_HOVERED,
  "border-critical-subtle": DANGER,
  "border-success-primary": SUCCESS,
  "border-success-subtle": SUCCESS,
  "border-info-subtle": INFO,
  "border-accent-primary": ACTION,
  "border-accent-subtle": ACTION,
  "separator-primary": LINE,
  "separator-secondary": LINE,

  "icon-primary": TEXT,
  "icon-secondary": MUTED,
  "icon-tertiary": "layout-border-level-1",
  "icon-accent-primary": ACTION,
  "icon-accent-tertiary": ACTION,
  "icon-critical-primary": DANGER,
  "icon-success-primary": SUCCESS,
  "icon-info-primary": INFO,
  "icon-warning-primary": WARNING,
  "icon-on-solid-primary": ON_ACTION,

  "gradient-action-stop1": ["darkblue-600", "darkblue-200"],
  "gradient-action-stop2": ["darkblue-650", "darkblue-250"],
  "gradient-action-stop3": ["darkblue-700", "darkblue-300"],
  "gradient-action-stop4": ["darkblue-750", "darkblue-350"],
  "gradient-subtle-stop1": ["darkblue-100", "darkblue-850"],
  "gradient-subtle-stop2": ["darkblue-050", "darkblue-900"],
  "gradient-subtle-stop3": ["darkblue-025", "darkblue-950"],
  "gradient-subtle-stop4": HUED,
  "gradient-subtle-stop5": CANVAS,
  "gradient-info-stop1": "feedback-info-background",
  "gradient-info-stop2": CANVAS,
  "gradient-critical-stop1": "feedback-danger-background",
  "gradient-critical-stop2": CANVAS,
};

// Steps of the accent scale, from next to the background to next to the text.
const SCALE = ["025", "050", "100", "150", "200", "250", "300", "400", "500", "600", "700", "800", "850", "950"];

/**
 * The older half of Element's style sheets, which knows nothing of Compound; `colors` of a custom theme.
 *
 * @type {Readonly<Record<string, Role>>}
 */
export const LEGACY = {
  // Carry white text in both themes, because Element fixes that colour; step 500 also stands out from black.
  "accent-color": ["darkblue-700", "darkblue-500"],
  alert: ["red-600", "red-500"],
  "warning-color": ["red-600", "red-500"],

  "primary-color": ACTION,
  links: ACTION,
  "primary-content": TEXT,
  "secondary-content": MUTED,
  "tertiary-content": MUTED,
  "quaternary-content": MUTED,
  "quinary-content": LINE,
  system: HUED,
  panels: HUED,
  "panels-actions": RAISED,

  // Ground of tooltips, with white text fixed by Element; at half strength the veil behind dialogs.
  "sidebar-color": ["neutral-700", "neutral-900"],
  "roomlist-background-color": HUED,
  "roomlist-text-color": TEXT,
  "roomlist-text-secondary-color": MUTED,
  "roomlist-highlights-color": RAISED,
  "roomlist-separator-color": LINE,
  "timeline-background-color": CANVAS,
  "timeline-text-color": TEXT,
  "timeline-text-secondary-color": MUTED,
  // The line that rings, and any line under the pointer: Element has one colour for both.
  "timeline-highlights-color": "feedback-info-background",
  "secondary-hairline-color": LINE,

  "togglesw-off-color": BORDER,
  "focus-bg-color": QUIET,
  "room-highlight-color": ["darkblue-700", "darkblue-500"],
  "menu-selected-color": HUED,
  "icon-button-color": MUTED,
  "strong-input-border-color": BORDER,
  "eventbubble-self-bg": ACTION_TINT,
  "eventbubble-others-bg": HUED,
  "eventbubble-bg-hover": HUED,
  "reaction-row-button-selected-bg-color": ACTION_TINT,
  "other-user-pill-bg-color": ["neutral-600", "neutral-500"],

  ...Object.fromEntries(
    SCALE.map((step, index) => [
      `accent-color-${(index + 1) * 100}`,
      [`darkblue-${step}`, `darkblue-${SCALE[SCALE.length - 1 - index]}`],
    ]),
  ),
};
