// What the guest sends: microphone, camera, and something to show.

import type * as LiveKit from "livekit-client";
import { Background } from "./background";
import { makeBlur } from "./blur";
import { recall, remember } from "./choice";
import { type Check, type Kind, type Mode, next, UNCHECKED, unusable } from "./devices";
import { constraints, list, obtain } from "./media";
import type { Share } from "./share";

type Module = typeof LiveKit;
type Track = LiveKit.LocalAudioTrack | LiveKit.LocalVideoTrack;

export class Own {
  /** What is known of the devices. */
  check: Check = UNCHECKED;
  microphone: LiveKit.LocalAudioTrack | undefined;
  camera: LiveKit.LocalVideoTrack | undefined;
  share: Share | undefined;
  /** What was shown has ended because the relay did not take it. */
  shareRefused = false;
  /** Whether the camera's light is on. */
  torch = false;
  /** What is seen behind the guest. */
  readonly background: Background;
  private room: LiveKit.Room | undefined;
  private shared: LiveKit.LocalVideoTrack | undefined;
  /** The camera rests for a reason that will pass: another one shows a paper, or pictures cost too much. */
  private cameraRests = false;
  /** Counts how often everything was let go of; what was asked for before is not wanted any more. */
  private round = 0;
  /** From one device to another, one after the other. */
  private switching: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly livekit: Module,
    private readonly changed: () => void,
  ) {
    this.background = new Background(changed, makeBlur);
  }

  get microphoneOn(): boolean {
    return this.microphone !== undefined && !this.microphone.isMuted;
  }

  get cameraOn(): boolean {
    return this.camera !== undefined && !this.camera.isMuted;
  }

  /** Takes the devices for `mode`; what cannot be had is in [`Own.check`]. */
  async take(mode: Mode): Promise<void> {
    if (mode === "chat") return;
    await this.obtain(mode === "video" ? ["camera", "microphone"] : ["microphone"]);
  }

  /** Sends everything to this relay from here on; what it has already stays. What it does not take goes off. */
  async publishTo(room: LiveKit.Room): Promise<void> {
    this.room = room;
    const share = this.publishShare().catch(() => {
      this.shareRefused = true;
      this.changed();
    });
    await Promise.all([this.publish("microphone"), this.publish("camera"), share]);
  }

  /** This relay is gone. What is switched on from here on waits for the next one. */
  leave(room: LiveKit.Room): void {
    if (this.room === room) this.room = undefined;
  }

  async setMicrophone(on: boolean): Promise<void> {
    if (on && !this.microphone) await this.obtain(["microphone"]);
    else if (on) await this.wake("microphone");
    else await this.microphone?.mute();
    this.changed();
  }

  async setCamera(on: boolean): Promise<void> {
    this.cameraRests = false;
    if (on && !this.camera) await this.obtain(["camera"]);
    else if (on) await this.wake("camera");
    else await this.camera?.mute();
    this.changed();
  }

  /** Takes what is behind the guest out of focus, or shows it. */
  async setBlur(on: boolean): Promise<void> {
    const { camera } = this;
    await this.background.choose(on, this.cameraOn ? camera : undefined);
    if (!camera?.isMuted) return;
    // Taken anew when it is wanted again, so that no picture goes out before the choice is true.
    await this.letGo("camera", camera);
    this.changed();
  }

  /**
   * Goes on with another device, which is the chosen one from then on. False when it does not work and the one before
   * goes on. What is off stays off.
   */
  async switchTo(kind: Kind, id: string): Promise<boolean> {
    const step = this.switching.then(() => this.turnTo(kind, id));
    this.switching = step.catch(() => undefined);
    return await step;
  }

  /** Looks again which devices there are. */
  async relist(): Promise<void> {
    this.check = next(this.check, { is: "listed", ...(await list()) });
    this.changed();
  }

  /** Shows something. What was shown before is taken away, and stays when there is nothing in its place. */
  async show(make: () => Promise<Share>, needsCamera: boolean): Promise<void> {
    const { round } = this;
    const paper = this.share?.is === "paper";
    // The camera that shows a paper cannot be had once more, and a telephone has one at a time.
    if (needsCamera && paper) await this.takeAway();
    if (needsCamera && matchMedia("(pointer: coarse)").matches) await this.restCamera();
    let share: Share;
    try {
      share = await make();
    } catch (error) {
      if (needsCamera) await this.wakeCamera();
      throw error;
    }
    await this.takeAway();
    // Meanwhile everything may have ended.
    if (round !== this.round) {
      share.stop();
      return;
    }
    this.share = share;
    this.shareRefused = false;
    // The browser has its own button to stop.
    share.track.addEventListener("ended", () => {
      if (this.share === share) void this.hide();
    });
    this.changed();
    await this.publishShare();
    if (paper && !needsCamera) await this.wakeCamera();
  }

  async hide(): Promise<void> {
    if (!this.share) return;
    await this.takeAway();
    await this.wakeCamera();
  }

  private async takeAway(): Promise<void> {
    const { share, shared } = this;
    if (!share) return;
    this.share = undefined;
    this.shared = undefined;
    this.torch = false;
    share.stop();
    this.changed();
    if (shared) await this.room?.localParticipant.unpublishTrack(shared).catch(() => undefined);
  }

  /** Shows another page of the document. */
  async turn(page: number): Promise<void> {
    await this.share?.pages?.turn(page);
    this.changed();
  }

  async setTorch(on: boolean): Promise<void> {
    await this.share?.torch?.(on);
    this.torch = on;
    this.changed();
  }

  /** Lets go of everything. */
  stop(): void {
    this.round += 1;
    this.room = undefined;
    this.microphone?.stop();
    this.camera?.stop();
    this.share?.stop();
    this.microphone = undefined;
    this.camera = undefined;
    this.share = undefined;
    this.shared = undefined;
    this.shareRefused = false;
    this.cameraRests = false;
  }

  /** Switches the camera off until [`Own.wakeCamera`]. */
  async restCamera(): Promise<void> {
    if (!this.cameraOn) return;
    await this.setCamera(false);
    this.cameraRests = true;
  }

  /** Switches the camera on again if it only rested. */
  async wakeCamera(): Promise<void> {
    if (!this.cameraRests) return;
    await this.setCamera(true);
  }

  private async turnTo(kind: Kind, id: string): Promise<boolean> {
    const { round } = this;
    const track = this[kind];
    const before = track?.getSourceTrackSettings().deviceId ?? recall()[kind];
    remember({ [kind]: id });
    if (!track) {
      // Choosing switches nothing on, but what was wanted and did not work is tried again.
      if (unusable(this.check[kind])) await this.obtain([kind]);
      return true;
    }
    const works = await turn(track, id);
    if (round !== this.round) return true;
    if (!works) {
      remember({ [kind]: before });
      const back = before !== undefined && (await turn(track, before));
      if (!back) await this.replace(kind, track, round);
    }
    this.changed();
    return works || this[kind] === undefined;
  }

  /** Switches a device on again. When it is gone meanwhile, another one takes its place. */
  private async wake(kind: Kind): Promise<void> {
    const { round } = this;
    const track = this[kind];
    try {
      await track?.unmute();
    } catch {
      if (track) await this.replace(kind, track, round);
    }
  }

  /** Takes whatever device there is instead of one that does not work. */
  private async replace(kind: Kind, track: Track, round: number): Promise<void> {
    await this.letGo(kind, track);
    if (round === this.round) await this.obtain([kind]);
  }

  private async letGo(kind: Kind, track: Track): Promise<void> {
    if (this[kind] === track) this[kind] = undefined;
    track.stop();
    await this.room?.localParticipant.unpublishTrack(track as LiveKit.LocalTrack).catch(() => undefined);
  }

  private async obtain(kinds: readonly Kind[]): Promise<void> {
    const { LocalAudioTrack, Track } = this.livekit;
    const { round } = this;
    const tracks = await obtain(this.check, kinds, (check) => {
      this.check = check;
      this.changed();
    });
    if (round !== this.round) {
      for (const track of Object.values(tracks)) track.stop();
      return;
    }
    if (tracks.microphone) {
      this.microphone = new LocalAudioTrack(tracks.microphone, constraints("microphone"), false);
      this.microphone.source = Track.Source.Microphone;
    }
    this.changed();
    await Promise.all([
      tracks.microphone && this.publish("microphone"),
      tracks.camera && this.takeCamera(tracks.camera),
    ]);
  }

  /** Nothing of the camera is shown, here or elsewhere, before its background is as the guest wants it. */
  private async takeCamera(device: MediaStreamTrack): Promise<void> {
    const { LocalVideoTrack, Track } = this.livekit;
    const { round } = this;
    const camera = new LocalVideoTrack(device, constraints("camera"), false);
    camera.source = Track.Source.Camera;
    if (!(await this.background.prepare(camera))) await camera.mute();
    // Meanwhile everything may have ended, or a second wish for the camera was quicker.
    if (round !== this.round || this.camera) {
      camera.stop();
      return;
    }
    this.camera = camera;
    // The guest may have chosen otherwise while the background was made ready.
    await this.background.follow(camera);
    this.changed();
    await this.publish("camera");
  }

  /** While the relay is out of reach, what is on waits for the next [`Own.publishTo`]. */
  private async publish(kind: Kind): Promise<void> {
    const { room } = this;
    const track = this[kind];
    if (!track || !connected(room)) return;
    try {
      await room.localParticipant.publishTrack(track as LiveKit.LocalTrack, named(track.source));
    } catch {
      if (this[kind] !== track || !this.sendsTo(room)) return;
      const wanted = !track.isMuted;
      await this.letGo(kind, track);
      // What is off anyway is taken anew, and tried again, when it is wanted.
      if (wanted) this.check = next(this.check, { is: "refused", kinds: [kind], why: "unsent" });
      this.changed();
    }
  }

  /** What the relay does not take is not shown, and nothing may say that it is. */
  private async publishShare(): Promise<void> {
    const { LocalVideoTrack, Track } = this.livekit;
    const { room, share } = this;
    if (!share || !connected(room)) return;
    this.shared ??= new LocalVideoTrack(share.track, undefined, true);
    this.shared.source = Track.Source.ScreenShare;
    try {
      await room.localParticipant.publishTrack(this.shared, {
        ...named(Track.Source.ScreenShare),
        simulcast: false,
        degradationPreference: "maintain-resolution",
      });
    } catch (error) {
      if (this.share !== share || !this.sendsTo(room)) return;
      await this.hide();
      throw error;
    }
  }

  /** Whether this relay is used and within reach; else what has failed there is sent again by itself. */
  private sendsTo(room: LiveKit.Room): boolean {
    return this.room === room && connected(room);
  }
}

/** To a relay out of reach nothing is sent: the library would stop the device for it. */
function connected(room: LiveKit.Room | undefined): room is LiveKit.Room {
  return room?.state === "connected";
}

/** Has a track come from another device. When that fails, it comes from none. */
async function turn(track: Track, id: string): Promise<boolean> {
  try {
    return await track.setDeviceId({ exact: id });
  } catch {
    return false;
  } finally {
    // A camera that was switched off meanwhile must not go on to watch.
    if (track.isMuted && track.kind === "video")
      for (const it of track.mediaStream?.getTracks() ?? []) it.stop();
  }
}

/** A track's name says what it is, and nothing about whose. */
function named(source: LiveKit.Track.Source): LiveKit.TrackPublishOptions {
  return { source, name: source };
}
