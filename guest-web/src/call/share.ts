// What the guest shows: a screen, a paper under the camera, a photo.

/** Text has to be sharp; it need not move smoothly. */
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } };
const PAPER = {
  facingMode: { ideal: "environment" },
  width: { ideal: 1920 },
  height: { ideal: 1080 },
  frameRate: { ideal: 10, max: 10 },
};

export type ShareKind = "screen" | "paper" | "photo";

/** Something being shown. */
export interface Share {
  is: ShareKind;
  track: MediaStreamTrack;
  /** Switches the camera's light; missing where there is none. */
  torch?: (on: boolean) => Promise<void>;
  /** Ends it and frees what it holds. */
  stop: () => void;
}

/** Telephones cannot share their screen. */
export function canShareScreen(): boolean {
  const devices = navigator.mediaDevices as Partial<MediaDevices> | undefined;
  return typeof devices?.getDisplayMedia === "function";
}

/** A screen or window of the person's choice. */
export async function shareScreen(): Promise<Share> {
  const options: DisplayMediaStreamOptions & { selfBrowserSurface: string; surfaceSwitching: string } = {
    video: SCREEN,
    audio: false,
    // This page in itself would be a hall of mirrors.
    selfBrowserSurface: "exclude",
    surfaceSwitching: "include",
  };
  return only("screen", await navigator.mediaDevices.getDisplayMedia(options));
}

/** A paper under the camera at the back. */
export async function sharePaper(): Promise<Share> {
  const share = only("paper", await navigator.mediaDevices.getUserMedia({ video: PAPER, audio: false }));
  const { track } = share;
  // Chromium on Android; unknown to the type.
  const can = (track.getCapabilities?.() ?? {}) as MediaTrackCapabilities & { torch?: boolean };
  if (!can.torch) return share;
  const torch = (on: boolean) =>
    track.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
  return { ...share, torch };
}

/** The longer side of a photo as it is sent. */
const PHOTO_SIDE = 1920;

/** A photo from the person's device, as a still picture in the call. */
export async function sharePhoto(file: Blob): Promise<Share> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, PHOTO_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  // Video has even sides.
  canvas.width = Math.max(2, Math.round((picture.width * scale) / 2) * 2);
  canvas.height = Math.max(2, Math.round((picture.height * scale) / 2) * 2);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  const draw = () => context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  draw();
  const share = only("photo", canvas.captureStream());
  // A canvas that is not drawn on sends nothing; who comes later needs a frame.
  const timer = window.setInterval(draw, 500);
  return {
    ...share,
    stop: () => {
      window.clearInterval(timer);
      share.stop();
      picture.close();
    },
  };
}

function only(is: ShareKind, stream: MediaStream): Share {
  const [track] = stream.getVideoTracks();
  if (!track) throw new Error("no picture");
  track.contentHint = "detail";
  return { is, track, stop: () => track.stop() };
}
