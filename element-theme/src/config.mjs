/**
 * Element's `config.json` for a city's clerks.
 *
 * The names of the keys were read in the source of Element Web 1.12.20 (`IConfigOptions.ts`, `SdkConfig.ts`,
 * `settings/Settings.tsx`, `settings/UIFeature.ts`). A setting takes effect only if it supports the level
 * "config" there, and under its inverted name where it has one.
 */

import { NAMES } from "./themes.mjs";

/**
 * @param {import("./city.mjs").City} city
 * @param {import("./themes.mjs").Theme[]} customThemes
 * @returns {Record<string, unknown>}
 */
export function config(city, customThemes) {
  return {
    brand: city.brand,
    branding: {
      logo_link_url: city.lobby_url,
      auth_footer_links: [{ text: city.brand, url: city.lobby_url }],
    },
    help_url: city.help_url,
    default_device_display_name: city.brand,

    default_server_config: {
      "m.homeserver": { base_url: city.homeserver_url, server_name: city.server_name },
    },
    // Clerks have accounts of the city, and only those: no other server, no guests, no e-mail or phone sign-in.
    disable_custom_urls: true,
    disable_guests: true,
    disable_3pid_login: true,
    embedded_pages: { login_for_welcome: true },
    permalink_prefix: city.element_url,
    room_directory: { servers: [city.server_name] },
    mobile_guide_toast: false,
    // When a clerk sits at the desk is told by !dienst, not by the mouse.
    enable_presence_by_hs_url: { [city.homeserver_url]: false },
    default_country_code: "DE",

    // Element falls back to a third party's integration manager unless these are emptied. Analytics, crash
    // reports and maps have no default and are off by not being named.
    integrations_ui_url: "",
    integrations_rest_url: "",
    integrations_widgets_urls: [],

    // Never Jitsi, whose default is a third party's server, nor calls between two browsers.
    element_call: { use_exclusively: true },

    show_labs_settings: false,
    features: {
      // The bar with Approve and Deny. Set here, a clerk cannot switch it off.
      feature_ask_to_join: true,
      feature_group_calls: city.calls,
    },

    default_theme: `custom-${NAMES.light}`,
    setting_defaults: {
      custom_themes: customThemes,
      language: "de",
      ...timeline,
      ...composer,
      ...roomList,
      ...parts(city),
    },
  };
}

const timeline = {
  // Inverted name of showRedactions: a concern whose visit has ended leaves no "message deleted" behind.
  hideRedactions: true,
  alwaysShowTimestamps: true,
  urlPreviewsEnabled: false,
  showChatEffects: false,
};

const composer = {
  "MessageComposerInput.showStickersButton": false,
  "MessageComposerInput.showPollsButton": false,
};

const roomList = {
  // Door rooms (in the city's space) and consultation rooms (in none) in one list.
  "Spaces.allRoomsInHome": true,
};

/** The parts of Element that a clerk does not need. */
function parts(city) {
  return {
    "UIFeature.registration": false,
    "UIFeature.passwordReset": false,
    "UIFeature.deactivate": false,
    "UIFeature.identityServer": false,
    "UIFeature.thirdPartyId": false,
    "UIFeature.feedback": false,
    "UIFeature.shareQrCode": false,
    "UIFeature.shareSocial": false,
    "UIFeature.locationSharing": false,
    "UIFeature.urlPreviews": false,
    "UIFeature.advancedSettings": false,
    "UIFeature.roomHistorySettings": false,
    "UIFeature.allowCreatingPublicRooms": false,
    "UIFeature.allowCreatingPublicSpaces": false,
    // An export would outlive the erasure of the consultation room.
    "UIFeature.allowChatExport": false,
    "UIFeature.voip": city.calls,
  };
}
