// Whether the others see what is behind the guest.

import type * as LiveKit from "livekit-client";
import type { Blur } from "./blur";
import { recall, remember } from "./choice";

/** What the guest is told about the background. */
export type BackgroundState =
  /** Nothing has happened that would be worth a word. */
  | "quiet"
  | "loading"
  | "blurred"
  | "clear"
  /** It could not be blurred; the picture is as it was. */
  | "failed"
  /** It could not be blurred, and nobody has seen it yet: the camera stays off. */
  | "hidden";

type Camera = Pick<LiveKit.LocalVideoTrack, "setProcessor" | "stopProcessor" | "getProcessor">;

export class Background {
  state: BackgroundState = "quiet";
  /** One after the other: each step of a camera ends before the next begins. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly changed: () => void,
    private readonly make: () => Promise<Blur>,
  ) {}

  /** What the guest has chosen. */
  get wanted(): boolean {
    return recall().blur === true;
  }

  /** A camera that nobody has seen a picture of. Says whether it may be shown. */
  async prepare(camera: Camera): Promise<boolean> {
    if (!this.wanted) return true;
    return await this.blur(camera, "hidden");
  }

  /** Keeps the guest's choice, and makes it true for a camera that is on. */
  async choose(blurred: boolean, camera: Camera | undefined): Promise<void> {
    remember({ blur: blurred });
    this.tell("quiet");
    if (!camera) return;
    await this.follow(camera);
  }

  /** Does for a camera what has been chosen by then. */
  async follow(camera: Camera): Promise<void> {
    const step = this.last.then(() => this.adapt(camera));
    this.last = step;
    await step;
  }

  private async adapt(camera: Camera): Promise<void> {
    if (this.wanted === (camera.getProcessor() !== undefined)) return;
    if (this.wanted) {
      await this.blur(camera, "failed");
      return;
    }
    await camera.stopProcessor().catch(() => undefined);
    this.tell("clear");
  }

  private async blur(camera: Camera, otherwise: "failed" | "hidden"): Promise<boolean> {
    this.tell("loading");
    try {
      const { processor, shown } = await this.make();
      await camera.setProcessor(processor as Parameters<Camera["setProcessor"]>[0]);
      await shown();
      this.tell("blurred");
      return true;
    } catch {
      await camera.stopProcessor().catch(() => undefined);
      remember({ blur: false });
      this.tell(otherwise);
      return false;
    }
  }

  private tell(state: BackgroundState): void {
    this.state = state;
    this.changed();
  }
}
