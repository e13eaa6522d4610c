import { useEffect, useRef, useState } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Check } from "../visit/parts";
import type { Call, CallState } from "./call";
import { remember } from "./choice";
import { DeviceSelect } from "./device-select";
import { canChooseSpeaker } from "./media";

/** What is changed seldom: devices, pictures, text as it is typed. */
export function Settings({ t, call, state }: { t: Texts; call: Call; state: CallState }) {
  const { own } = call;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    void own.relist();
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    const relist = () => void own.relist();
    devices?.addEventListener("devicechange", relist);
    return () => devices?.removeEventListener("devicechange", relist);
  }, [own]);
  return (
    <section class="vz-menu" id="call-more" aria-labelledby="more-heading">
      <h3 class="kern-heading-small" id="more-heading" tabIndex={-1} ref={heading}>
        {t("more-heading")}
      </h3>
      <p class="kern-body">{t(`quality-${state.phase === "live" ? state.thrift.quality : "unknown"}`)}</p>
      <div class="vz-menu__devices">
        {(["camera", "microphone"] as const).map((kind) => (
          <DeviceSelect
            key={kind}
            {...{ t, kind, choices: own.check[`${kind}s`] }}
            onChoose={(id) => {
              remember({ [kind]: id });
              void own.switchTo(kind).catch(() => undefined);
            }}
          />
        ))}
        {canChooseSpeaker() && (
          <DeviceSelect
            {...{ t, kind: "speaker", choices: own.check.speakers }}
            onChoose={(id) => {
              remember({ speaker: id });
              void call.useSpeaker(id).catch(() => undefined);
            }}
          />
        )}
      </div>
      <Check
        id="saving"
        label={t("more-saving")}
        hint={t("more-saving-hint")}
        checked={state.thrift.saving}
        onChange={(on) => call.setSaving(on)}
      />
      <Check
        id="live-text"
        label={t("more-live-text")}
        hint={t("more-live-text-hint")}
        checked={state.liveText}
        onChange={(on) => call.setLiveText(on)}
      />
      <Blur t={t} call={call} />
      {document.pictureInPictureEnabled && (
        <div>
          <Button kind="tertiary" icon="open-in-new" label={t("more-pip")} onClick={floatPicture} />
        </div>
      )}
      <p class="kern-body kern-body--small">{t("more-keys")}</p>
    </section>
  );
}

/** Some systems blur the background themselves, below the browser. */
type Blurring = MediaTrackCapabilities & { backgroundBlur?: boolean[] };

function Blur({ t, call }: { t: Texts; call: Call }) {
  const track = call.own.camera?.mediaStreamTrack;
  const settings = track?.getSettings() as (MediaTrackSettings & { backgroundBlur?: boolean }) | undefined;
  const [on, setOn] = useState(settings?.backgroundBlur ?? false);
  const can = ((track?.getCapabilities?.() ?? {}) as Blurring).backgroundBlur;
  if (!track || !can?.includes(true) || !can.includes(false)) return null;
  const set = (wanted: boolean) => {
    track
      .applyConstraints({ backgroundBlur: wanted } as MediaTrackConstraints)
      .then(() => setOn(wanted))
      .catch(() => undefined);
  };
  return <Check id="blur" label={t("more-blur")} checked={on} onChange={set} />;
}

/** The largest picture of another person, in a window of its own. */
function floatPicture(): void {
  const video = document.querySelector<HTMLVideoElement>(
    ".vz-shown video, .vz-tile:not(.vz-tile--own) video",
  );
  const floating = document.pictureInPictureElement ? document.exitPictureInPicture() : undefined;
  void (floating ?? video?.requestPictureInPicture())?.catch(() => undefined);
}
