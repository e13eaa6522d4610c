// The test of camera, microphone and speaker, before knocking, while waiting, and before entering.

import "./call.scss";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { loadCallTexts, pageLanguage, type Texts } from "../lib/texts";
import { Alert, Button, Check as CheckBox, Icon } from "../visit/parts";
import { canBlur } from "./blur";
import { allowed, canChooseSpeaker, list, listen, obtain, playTone } from "./media";
import { type Choices, recall, remember } from "./choice";
import { DeviceSelect } from "./device-select";
import { type Check as State, type Kind, type Mode, next, possible, settled, UNCHECKED } from "./devices";

type Tracks = Partial<Record<Kind, MediaStreamTrack>>;

/** Puts the test into a page that is not made of components. */
export async function mount(place: Element): Promise<() => void> {
  const t = await loadCallTexts(pageLanguage());
  render(<Check t={t} />, place);
  return () => render(null, place);
}

interface CheckProps {
  t: Texts;
  /** The guest is about to enter: whoever has chosen how to take part sees at once how, without being asked again. */
  entering?: boolean;
}

export function Check({ t, entering = false }: CheckProps) {
  const [brief, setBrief] = useState(() => entering && recall().mode !== undefined);
  const [state, setState] = useState<State>(UNCHECKED);
  const [tracks, setTracks] = useState<Tracks>({});
  const { camera, microphone } = tracks;
  // Nothing stays switched on behind a closed test.
  useEffect(() => () => camera?.stop(), [camera]);
  useEffect(() => () => microphone?.stop(), [microphone]);
  const shown = useShown();

  const start = async (kinds: readonly Kind[]) => {
    for (const kind of kinds) tracks[kind]?.stop();
    const got = await obtain(state, kinds, setState);
    if (!shown.current) {
      for (const track of Object.values(got)) track.stop();
      return;
    }
    for (const [kind, track] of Object.entries(got) as [Kind, MediaStreamTrack][])
      track.addEventListener("ended", () => setState((now) => next(now, { is: "lost", kind })));
    setTracks((now) => ({ ...now, ...Object.fromEntries(kinds.map((kind) => [kind, undefined])), ...got }));
  };
  const choose = (kind: Kind, id: string) => {
    remember({ [kind]: id } as Choices);
    void start([kind]);
  };
  useEffect(() => {
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    const relist = () =>
      void list().then((found) => setState((now) => next(now, { is: "listed", ...found })));
    devices?.addEventListener("devicechange", relist);
    return () => devices?.removeEventListener("devicechange", relist);
  }, []);

  useEffect(() => {
    if (!brief) return;
    void allowed(WANTS[recall().mode ?? "chat"]).then((kinds) => {
      if (kinds.length > 0 && shown.current) void start(kinds);
    });
    // Once: what the guest chooses afterwards is asked for by itself.
  }, []);

  const begun = state.camera !== "unknown" || state.microphone !== "unknown";
  const done = begun && settled(state);
  const broken = (["camera", "microphone"] as const).filter((kind) => state[kind] !== "ready");
  if (brief && done && (camera || microphone))
    return <Brief {...{ t, state, camera, microphone }} onMore={() => setBrief(false)} />;
  return (
    <div class="vz-check__body">
      <p class="kern-body">{t("check-intro")}</p>
      {!begun && (
        <Button
          kind="secondary"
          icon="camera"
          label={t("check-start")}
          onClick={() => void start(["camera", "microphone"])}
        />
      )}
      <p class="kern-body" role="status">
        {begun && !done && t("check-asking")}
        {done && t(`check-result-${possible(state)}`)}
      </p>
      {done && (
        <>
          <div class="vz-check__devices">
            <div class="vz-check__device">
              <Preview t={t} track={camera} />
              <Result t={t} kind="camera" state={state} />
              <DeviceSelect
                {...{ t, kind: "camera", choices: state.cameras }}
                onChoose={(id) => choose("camera", id)}
              />
            </div>
            <div class="vz-check__device">
              <Result t={t} kind="microphone" state={state} />
              {microphone && <Meter t={t} track={microphone} />}
              <DeviceSelect
                {...{ t, kind: "microphone", choices: state.microphones }}
                onChoose={(id) => choose("microphone", id)}
              />
              <Speaker t={t} state={state} />
            </div>
          </div>
          {broken.length > 0 && (
            <Button
              kind="secondary"
              icon="autorenew"
              label={t("check-again")}
              onClick={() => void start(broken)}
            />
          )}
          <ModeChoice t={t} best={possible(state)} />
          {camera && canBlur() && <BlurChoice t={t} />}
        </>
      )}
    </div>
  );
}

interface BriefProps {
  t: Texts;
  state: State;
  camera: MediaStreamTrack | undefined;
  microphone: MediaStreamTrack | undefined;
  onMore: () => void;
}

/** What others are about to see and hear. */
function Brief({ t, state, camera, microphone, onMore }: BriefProps) {
  const wanted = WANTS[recall().mode ?? "chat"];
  return (
    <div class="vz-check__body">
      <div class="vz-check__devices">
        {wanted.includes("camera") && (
          <div class="vz-check__device">
            <Preview t={t} track={camera} />
            {camera && recall().blur && <p class="kern-body kern-body--small">{t("check-blurred")}</p>}
            {!camera && <Result t={t} kind="camera" state={state} />}
          </div>
        )}
        <div class="vz-check__device">
          {microphone ? <Meter t={t} track={microphone} /> : <Result t={t} kind="microphone" state={state} />}
        </div>
      </div>
      <Button kind="tertiary" icon="more" label={t("check-change")} onClick={onMore} />
    </div>
  );
}

/** Takes effect in the call: the test shows the camera as it is. */
function BlurChoice({ t }: { t: Texts }) {
  const [on, setOn] = useState(recall().blur ?? false);
  return (
    <CheckBox
      id="check-blur"
      label={t("more-blur")}
      hint={t("check-blur-hint")}
      checked={on}
      onChange={(now) => {
        remember({ blur: now });
        setOn(now);
      }}
    />
  );
}

function useShown() {
  const shown = useRef(true);
  useEffect(() => {
    shown.current = true;
    return () => {
      shown.current = false;
    };
  }, []);
  return shown;
}

function Preview({ t, track }: { t: Texts; track: MediaStreamTrack | undefined }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);
  return (
    <div class="vz-preview">
      {track ? (
        <video ref={video} autoPlay muted playsInline aria-label={t("check-preview")} />
      ) : (
        <p class="kern-body">{t("check-no-preview")}</p>
      )}
    </div>
  );
}

/** What came of a device, and what to do about it. */
function Result({ t, kind, state }: { t: Texts; kind: Kind; state: State }) {
  const is = state[kind];
  if (is === "unknown" || is === "asking") return null;
  if (is === "ready")
    return (
      <p class="kern-body vz-with-icon">
        <Icon name="success" />
        {t(`check-${kind}-ready`)}
      </p>
    );
  return (
    <Alert kind="warning" title={t(`check-${kind}-${is}`)}>
      <p class="kern-body">{t(`check-${is}-help`)}</p>
    </Alert>
  );
}

/** Louder than this is a voice, not a quiet room. */
const VOICE = 0.35;

function Meter({ t, track }: { t: Texts; track: MediaStreamTrack }) {
  const [level, setLevel] = useState(0);
  const [heard, setHeard] = useState(false);
  useEffect(
    () =>
      listen(track, (now) => {
        setLevel(now);
        if (now > VOICE) setHeard(true);
      }),
    [track],
  );
  return (
    <div class="vz-meter">
      <label class="kern-body" for="check-level">
        {t("check-level")}
      </label>
      <meter id="check-level" min={0} max={1} value={level} />
      <p class="kern-body" role="status">
        {heard && t("check-heard")}
      </p>
    </div>
  );
}

function Speaker({ t, state }: { t: Texts; state: State }) {
  return (
    <div class="vz-check__speaker">
      {canChooseSpeaker() && (
        <DeviceSelect
          {...{ t, kind: "speaker", choices: state.speakers }}
          onChoose={(id) => remember({ speaker: id })}
        />
      )}
      <Button
        kind="tertiary"
        icon="bell"
        label={t("check-tone")}
        onClick={() => void playTone(recall().speaker).catch(() => undefined)}
      />
      <p class="kern-body kern-body--small">{t("check-tone-hint")}</p>
    </div>
  );
}

/** What each way to take part needs. */
const WANTS: Record<Mode, readonly Kind[]> = {
  video: ["camera", "microphone"],
  audio: ["microphone"],
  chat: [],
};

const MODES: Record<Mode, readonly Mode[]> = {
  video: ["video", "audio", "chat"],
  audio: ["audio", "chat"],
  chat: ["chat"],
};

/** How to take part, among what the devices allow. Nothing is chosen for anybody. */
function ModeChoice({ t, best }: { t: Texts; best: Mode }) {
  const [mode, setMode] = useState(recall().mode);
  const modes = MODES[best];
  if (modes.length === 1) return null;
  return (
    <fieldset class="kern-fieldset" aria-describedby="check-mode-hint">
      <legend class="kern-label">{t("check-mode")}</legend>
      <div class="kern-hint" id="check-mode-hint">
        {t("check-mode-hint")}
      </div>
      <div class="kern-fieldset__body">
        {modes.map((it) => (
          <div class="kern-form-check" key={it}>
            <input
              class="kern-form-check__radio"
              type="radio"
              name="call-mode"
              id={`call-mode-${it}`}
              checked={mode === it}
              onChange={() => {
                remember({ mode: it });
                setMode(it);
              }}
            />
            <label class="kern-label" for={`call-mode-${it}`}>
              {t(`check-mode-${it}`)}
            </label>
          </div>
        ))}
      </div>
    </fieldset>
  );
}
