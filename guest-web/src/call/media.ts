// Camera and microphone as the browser gives them.

import { recall } from "./choice";
import { type Check, type Choice, type Kind, next, request, trouble, type Trouble } from "./devices";

/** 720p: what a talk between people needs. Also what the relay's layers are cut from. */
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** What is wanted of the chosen device, or of any. */
export function constraints(kind: Kind, any = false): MediaTrackConstraints {
  const chosen = any ? undefined : recall()[kind];
  // Not `ideal`: Chromium takes the first device nevertheless.
  const device = chosen ? { deviceId: { exact: chosen } } : {};
  return kind === "camera"
    ? { ...PICTURE, ...(chosen ? device : { facingMode: { ideal: "user" } }) }
    : { ...SOUND, ...device };
}

/** What a request for devices brought. */
type Given = { tracks: Partial<Record<Kind, MediaStreamTrack>> } | { refused: Trouble };

/** Asks the browser, which may ask the person. When the chosen device does not work, any other will do. */
async function ask(kinds: readonly Kind[], any = false): Promise<Given> {
  // Missing on pages without TLS.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) return { refused: "unsupported" };
  try {
    const stream = await devices.getUserMedia({
      video: kinds.includes("camera") && constraints("camera", any),
      audio: kinds.includes("microphone") && constraints("microphone", any),
    });
    const [camera] = stream.getVideoTracks();
    const [microphone] = stream.getAudioTracks();
    return { tracks: { ...(camera && { camera }), ...(microphone && { microphone }) } };
  } catch (error) {
    const refused = trouble(error);
    const [kind, ...others] = kinds;
    // Of several, each is asked for by itself next.
    const chosen = !any && kind !== undefined && others.length === 0 && recall()[kind] !== undefined;
    if (chosen && refused !== "denied" && refused !== "system") return await ask(kinds, true);
    return { refused };
  }
}

/** Those of `kinds` that the browser gives without a question. */
export async function allowed(kinds: readonly Kind[]): Promise<Kind[]> {
  const answers = kinds.map(async (name) => {
    try {
      return (await navigator.permissions.query({ name: name as PermissionName })).state === "granted";
    } catch {
      // A browser that does not tell will ask.
      return false;
    }
  });
  const granted = await Promise.all(answers);
  return kinds.filter((_, place) => granted[place]);
}

/** The devices there are. Before the person has allowed any of them they have no names, and are left out. */
export async function list(): Promise<{ cameras: Choice[]; microphones: Choice[]; speakers: Choice[] }> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  const all = (await devices?.enumerateDevices().catch(() => [])) ?? [];
  const of = (kind: MediaDeviceKind) =>
    all
      .filter((device) => device.kind === kind && device.deviceId !== "" && device.label !== "")
      .map((device) => ({ id: device.deviceId, label: device.label }));
  return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
}

/** Whether this browser can send sound to a speaker of the person's choice. */
export function canChooseSpeaker(): boolean {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/** Plays a short tone on the chosen speaker. */
export async function playTone(speaker: string | undefined): Promise<void> {
  const context = new AudioContext();
  const exit = context.createMediaStreamDestination();
  const sound = new Audio();
  sound.srcObject = exit.stream;
  if (speaker && canChooseSpeaker()) await sound.setSinkId(speaker).catch(() => undefined);
  const volume = context.createGain();
  volume.connect(exit);
  for (const [start, pitch] of [
    [0, 523],
    [0.3, 659],
    [0.6, 784],
  ] as const) {
    const tone = context.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(volume);
    tone.start(context.currentTime + start);
    tone.stop(context.currentTime + start + 0.25);
  }
  volume.gain.value = 0.25;
  await sound.play();
  window.setTimeout(() => {
    sound.srcObject = null;
    void context.close();
  }, 1_500);
}

/** Tells how loud a microphone is, from 0 to 1, several times a second. Returns what ends it. */
export function listen(track: MediaStreamTrack, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = window.setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // From -60 dB (a quiet room) to 0 dB, so that a normal voice fills half of the bar.
    heard(Math.max(0, Math.min(1, 1 + (10 * Math.log10(power + 1e-9)) / 60)));
  }, 100);
  return () => {
    window.clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}

/** Asks for the kinds, together and then singly, and tells of each step. What was got stays with the caller. */
export async function obtain(
  check: Check,
  kinds: readonly Kind[],
  step: (check: Check) => void,
): Promise<Partial<Record<Kind, MediaStreamTrack>>> {
  const tracks: Partial<Record<Kind, MediaStreamTrack>> = {};
  let state = next(check, { is: "start", kinds });
  for (let asked = request(state); asked.length > 0; asked = request(state)) {
    step(state);
    const given = await ask(asked);
    if ("tracks" in given) Object.assign(tracks, given.tracks);
    state = next(
      state,
      "tracks" in given ? { is: "got", kinds: asked } : { is: "refused", kinds: asked, why: given.refused },
    );
  }
  step(next(state, { is: "listed", ...(await list()) }));
  return tracks;
}
