// What the guest shows at the moment: impossible to forget, easy to end.

import { useEffect, useRef } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Check, Icon } from "../visit/parts";
import type { Call } from "./call";

export function Sharing({ t, call }: { t: Texts; call: Call }) {
  const { share, torch } = call.own;
  const was = useRef(false);
  const ended = was.current && !share;
  was.current = share !== undefined;
  return (
    <>
      <div role="status">
        {share && (
          <p class="vz-sharing__said">
            <Icon name="screen" />
            <span>
              <strong>{t(`showing-${share.is}`)}</strong> {t("showing-text")}
            </span>
          </p>
        )}
        {ended && <span class="kern-sr-only">{t("showing-ended")}</span>}
      </div>
      {share && (
        <div class="vz-sharing">
          {share.is !== "screen" && <Preview t={t} track={share.track} />}
          <div class="vz-actions">
            <Button
              kind="primary"
              icon="close"
              label={t("showing-stop")}
              onClick={() => void call.own.hide()}
            />
            {share.torch && (
              <Check
                id="torch"
                label={t("showing-torch")}
                checked={torch}
                onChange={(on) => void call.own.setTorch(on).catch(() => undefined)}
              />
            )}
          </div>
        </div>
      )}
    </>
  );
}

function Preview({ t, track }: { t: Texts; track: MediaStreamTrack }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = new MediaStream([track]);
  }, [track]);
  return (
    <video
      class="vz-sharing__preview"
      ref={video}
      autoPlay
      muted
      playsInline
      aria-label={t("showing-preview")}
    />
  );
}
