// What the guest shows: a screen, a paper under the camera, a photo, a PDF.

/** Text has to be sharp; it need not move smoothly. */
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } };
const PAPER = {
  facingMode: { ideal: "environment" },
  width: { ideal: 1920 },
  height: { ideal: 1080 },
  frameRate: { ideal: 10, max: 10 },
};

export type ShareKind = "screen" | "paper" | "photo" | "pdf";

/** The pages of a document, counted from 1. */
export interface Pages {
  count: number;
  current: number;
  turn: (page: number) => Promise<void>;
}

/** Something being shown. */
export interface Share {
  is: ShareKind;
  track: MediaStreamTrack;
  /** Switches the camera's light; missing where there is none. */
  torch?: (on: boolean) => Promise<void>;
  /** Missing where there are none to turn. */
  pages?: Pages;
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

/** Why a file cannot be shown: a PDF that opens with a password only. */
export class Locked extends Error {}

/** A photo or a PDF from the person's device. */
export async function shareFile(file: File): Promise<Share> {
  return file.type === "application/pdf" || /\.pdf$/i.test(file.name) ? sharePdf(file) : sharePhoto(file);
}

async function sharePhoto(file: Blob): Promise<Share> {
  const picture = await createImageBitmap(file);
  const { share } = still("photo", picture);
  return {
    ...share,
    stop: () => {
      share.stop();
      picture.close();
    },
  };
}

async function sharePdf(file: Blob): Promise<Share> {
  const { openPdf } = await import("./pdf");
  const pdf = await openPdf(file);
  if (!pdf) throw new Locked();
  try {
    const { share, put } = still("pdf", await pdf.page(1, STILL_SIDE));
    let wanted = 1;
    const pages: Pages = {
      count: pdf.count,
      current: 1,
      turn: async (page) => {
        wanted = page;
        const picture = await pdf.page(page, STILL_SIDE);
        // Who turns quickly sees the last one.
        if (wanted !== page) return;
        put(picture);
        pages.current = page;
      },
    };
    return {
      ...share,
      ...(pdf.count > 1 && { pages }),
      stop: () => {
        share.stop();
        pdf.close();
      },
    };
  } catch (error) {
    pdf.close();
    throw error;
  }
}

/** The longer side of a still picture as it is sent, at most. */
const STILL_SIDE = 1920;

/** A still picture in the call, and how to put another one in its place. */
function still(is: ShareKind, first: ImageBitmap | HTMLCanvasElement) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  let picture = first;
  const draw = () => context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const put = (next: typeof first) => {
    picture = next;
    [canvas.width, canvas.height] = fitted(next.width, next.height);
    draw();
  };
  put(first);
  const share = only(is, canvas.captureStream());
  // A canvas that is not drawn on sends nothing; who comes later needs a frame.
  const timer = window.setInterval(draw, 500);
  const stop = () => {
    window.clearInterval(timer);
    share.stop();
  };
  return { share: { ...share, stop }, put };
}

/** The size at which a still picture is sent. Video has even sides. */
export function fitted(width: number, height: number): [width: number, height: number] {
  const scale = Math.min(1, STILL_SIDE / Math.max(width, height));
  const even = (side: number) => Math.max(2, Math.round((side * scale) / 2) * 2);
  return [even(width), even(height)];
}

function only(is: ShareKind, stream: MediaStream): Share {
  const [track] = stream.getVideoTracks();
  if (!track) throw new Error("no picture");
  track.contentHint = "detail";
  return { is, track, stop: () => track.stop() };
}
