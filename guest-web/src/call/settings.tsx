import { useEffect, useRef } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Check } from "../visit/parts";
import type { Call, CallState } from "./call";
import { canBlur } from "./blur";
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
      {state.liveText !== undefined && (
        <Check
          id="live-text"
          label={t("more-live-text")}
          hint={t("more-live-text-hint")}
          checked={state.liveText}
          onChange={(on) => call.setLiveText(on)}
        />
      )}
      {canBlur() && (
        <Check
          id="blur"
          label={t("more-blur")}
          hint={t("more-blur-hint")}
          checked={own.background.wanted}
          onChange={(on) => void own.setBlur(on)}
        />
      )}
      {document.pictureInPictureEnabled && (
        <div>
          <Button kind="tertiary" icon="open-in-new" label={t("more-pip")} onClick={floatPicture} />
        </div>
      )}
      <p class="kern-body kern-body--small">{t("more-keys")}</p>
    </section>
  );
}

/** The largest picture of another person, in a window of its own. */
function floatPicture(): void {
  const video = document.querySelector<HTMLVideoElement>(
    ".vz-shown video, .vz-tile:not(.vz-tile--own) video",
  );
  const floating = document.pictureInPictureElement ? document.exitPictureInPicture() : undefined;
  void (floating ?? video?.requestPictureInPicture())?.catch(() => undefined);
}
