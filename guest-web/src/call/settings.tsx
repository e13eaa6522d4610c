import { useEffect, useRef, useState } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Check, Icon } from "../visit/parts";
import type { Call, CallState } from "./call";
import { canBlur } from "./blur";
import { recall, remember } from "./choice";
import { DeviceSelect } from "./device-select";
import type { Kind } from "./devices";
import { canChooseSpeaker } from "./media";

/** What is changed seldom: devices, pictures, text as it is typed. */
export function Settings({ t, call, state }: { t: Texts; call: Call; state: CallState }) {
  const { own } = call;
  const heading = useRef<HTMLHeadingElement>(null);
  const [failed, setFailed] = useState<Kind | "speaker">();
  const { shown, others } = state.stage;
  const pictured = shown !== undefined || others.some((tile) => tile.picture !== undefined);
  useEffect(() => heading.current?.focus(), []);
  const choose = async (kind: Kind | "speaker", id: string) => {
    setFailed(undefined);
    const works = kind === "speaker" ? await useSpeaker(call, id) : await own.switchTo(kind, id);
    if (!works) setFailed(kind);
  };
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
            onChoose={(id) => void choose(kind, id)}
          />
        ))}
        {canChooseSpeaker() && (
          <DeviceSelect
            {...{ t, kind: "speaker", choices: own.check.speakers }}
            onChoose={(id) => void choose("speaker", id)}
          />
        )}
      </div>
      <div role="alert">
        {failed && (
          <p class="kern-error">
            <Icon name="danger" />
            <span class="kern-body">{t(`more-${failed}-failed`)}</span>
          </p>
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
      {document.pictureInPictureEnabled && pictured && (
        <div>
          <Button kind="tertiary" icon="open-in-new" label={t("more-pip")} onClick={floatPicture} />
        </div>
      )}
      <p class="kern-body kern-body--small">{t("more-keys")}</p>
    </section>
  );
}

/** Plays the others' sound elsewhere from here on; where it was before when that does not work. */
async function useSpeaker(call: Call, id: string): Promise<boolean> {
  const before = recall().speaker;
  remember({ speaker: id });
  try {
    await call.useSpeaker(id);
    return true;
  } catch {
    remember({ speaker: before });
    return false;
  }
}

/** The largest picture of another person, in a window of its own. */
function floatPicture(): void {
  const video = document.querySelector<HTMLVideoElement>(
    ".vz-shown video, .vz-tile:not(.vz-tile--own) video",
  );
  const floating = document.pictureInPictureElement ? document.exitPictureInPicture() : undefined;
  void (floating ?? video?.requestPictureInPicture())?.catch(() => undefined);
}
