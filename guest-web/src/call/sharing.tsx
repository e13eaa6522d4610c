// What the guest shows at the moment: impossible to forget, easy to end.

import { useEffect, useRef } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Check, Icon, useAction } from "../visit/parts";
import type { Call } from "./call";
import type { Pages } from "./share";

export function Sharing({ t, call }: { t: Texts; call: Call }) {
  const { share, shareRefused, torch } = call.own;
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
        {shareRefused ? (
          <p class="kern-body vz-call__trouble">
            <Icon name="warning" size="small" />
            <span>{t("showing-ended")}</span>
          </p>
        ) : (
          ended && <span class="kern-sr-only">{t("showing-ended")}</span>
        )}
      </div>
      {share && (
        <div class="vz-sharing">
          {share.is !== "screen" && <Preview t={t} track={share.track} />}
          {share.pages && <Turning t={t} call={call} pages={share.pages} />}
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

/** One page on or back. Both buttons stay where they are, so that nobody loses the focus at the last page. */
function Turning({ t, call, pages: { count, current } }: { t: Texts; call: Call; pages: Pages }) {
  const by = useRef(0);
  const [turn, , failure] = useAction(() => call.own.turn(current + by.current));
  const button = (label: string, icon: string, step: number) => (
    <Button
      kind="secondary"
      {...{ label, icon }}
      busy={current + step < 1 || current + step > count}
      onClick={() => {
        by.current = step;
        turn();
      }}
    />
  );
  return (
    <div class="vz-actions" role="group" aria-label={t("showing-pages")}>
      {button(t("showing-back"), "arrow-back", -1)}
      <span class="kern-body" role="status">
        {t(failure ? "showing-page-failed" : "showing-page", { page: current, count })}
      </span>
      {button(t("showing-on"), "arrow-forward", 1)}
    </div>
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
