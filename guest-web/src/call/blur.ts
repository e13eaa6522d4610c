// The background out of focus, reckoned on the guest's own device. What that takes is large; it is loaded when it is
// wanted, and from the page's own server.

import type { BackgroundProcessorWrapper } from "@livekit/track-processors";

/** Where the build has put runtime and network. */
declare const BLUR_FILES: string;

/** In pixels of the camera's picture: enough that no letter behind the guest can be read. */
const RADIUS = 15;

/** A camera without pictures for so long makes none, so nobody waits for a blurred one any longer. */
const PATIENCE_MS = 20_000;

/** What blurs one camera. */
export interface Blur {
  processor: BackgroundProcessorWrapper;
  /** Fulfilled by the first blurred picture; rejected if none comes. Asked for when the processor has a camera. */
  shown: () => Promise<void>;
}

let able: boolean | undefined;

/** Whether this browser can do it: what the library will ask, without loading the library. */
export function canBlur(): boolean {
  able ??=
    ["OffscreenCanvas", "VideoFrame", "createImageBitmap"].every((name) => name in window) &&
    ("MediaStreamTrackGenerator" in window || "captureStream" in HTMLCanvasElement.prototype) &&
    document.createElement("canvas").getContext("webgl2") !== null;
  return able;
}

/** Loads what it takes. */
export async function makeBlur(): Promise<Blur> {
  const { BackgroundProcessor, supportsBackgroundProcessors } = await import("@livekit/track-processors");
  if (!supportsBackgroundProcessors()) throw new Error("this browser cannot blur a background");
  let first: () => void = () => undefined;
  const shown = new Promise<void>((resolve) => (first = resolve));
  const processor = BackgroundProcessor({
    mode: "background-blur",
    blurRadius: RADIUS,
    assetPaths: { tasksVisionFileSet: BLUR_FILES, modelAssetPath: `${BLUR_FILES}/selfie.tflite` },
    onFrameProcessed: first,
  });
  return { processor, shown: () => within(PATIENCE_MS, shown) };
}

async function within(limit: number, promise: Promise<void>): Promise<void> {
  let timer: number | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = window.setTimeout(() => reject(new Error("no picture came")), limit);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    window.clearTimeout(timer);
  }
}
