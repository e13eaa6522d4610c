// Ways to reach somebody who looks elsewhere: sound, notification, blinking title, screen kept on.

/** Two soft rising tones, made here: no file to load, nothing to license. */
export class Chime {
  private context: AudioContext | undefined;
  enabled = true;

  constructor() {
    // Browsers let a page sound only after somebody has touched it.
    const unlock = () =>
      void this.open()
        ?.resume()
        .catch(() => undefined);
    document.addEventListener("pointerdown", unlock, { once: true });
    document.addEventListener("keydown", unlock, { once: true });
  }

  play(): void {
    const context = this.open();
    if (!context) return;
    void context.resume().catch(() => undefined);
    for (const [start, pitch] of [
      [0, 587],
      [0.22, 880],
      [0.9, 587],
      [1.12, 880],
    ] as const) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const at = context.currentTime + start;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.3, at + 0.03);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
      tone.connect(volume).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.55);
    }
  }

  private open(): AudioContext | undefined {
    if (!this.context && "AudioContext" in window) this.context = new AudioContext();
    return this.context;
  }
}

export type NotifyState = "unsupported" | NotificationPermission;

export function notifyState(): NotifyState {
  return "Notification" in window ? Notification.permission : "unsupported";
}

/** Shows a notification, where the browser and the person allow it. It carries no personal words. */
export function notify(heading: string, body: string): void {
  if (notifyState() !== "granted") return;
  try {
    const note = new Notification(heading, {
      body,
      tag: "visit",
      icon: "/favicon.svg",
    });
    note.onclick = () => {
      window.focus();
      note.close();
    };
  } catch {
    // Browsers on telephones have the name but not the function; sound and title remain.
  }
}

/** The title of the tab, blinking between two texts while `alarm` is set and nobody looks. */
export class TabTitle {
  private timer: number | undefined;

  show(text: string, alarm: boolean): void {
    window.clearInterval(this.timer);
    document.title = text;
    if (!alarm) return;
    let on = true;
    this.timer = window.setInterval(() => {
      on = !on || document.visibilityState === "visible";
      document.title = on ? text : "● ● ●";
    }, 1_000);
  }
}

/** Keeps the screen on, where the browser can. */
export class Awake {
  private lock: WakeLockSentinel | undefined;
  enabled = false;

  static get supported(): boolean {
    return "wakeLock" in navigator;
  }

  /** Takes or gives back the lock. The browser drops it when the page is hidden: call again when it is shown. */
  async update(): Promise<void> {
    if (!Awake.supported) return;
    if (this.enabled && document.visibilityState === "visible") {
      this.lock = await navigator.wakeLock.request("screen").catch(() => undefined);
    } else {
      await this.lock?.release().catch(() => undefined);
      this.lock = undefined;
    }
  }
}
