import { useEffect, useRef, useState } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Icon } from "../visit/parts";
import type { Call } from "./call";
import { canShareScreen, type Share, sharePaper, sharePhoto, shareScreen } from "./share";

/** What can be shown. Only what this device can do is offered. */
export function ShowMenu({ t, call, onDone }: { t: Texts; call: Call; onDone: () => void }) {
  const file = useRef<HTMLInputElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => heading.current?.focus(), []);
  const show = (make: () => Promise<Share>, needsCamera = false) => {
    setFailed(false);
    call.own.show(make, needsCamera).then(onDone, (error: unknown) => {
      // Closing the browser's dialog is an answer, not a fault.
      if (!(error instanceof Error && error.name === "NotAllowedError" && !needsCamera)) setFailed(true);
    });
  };
  return (
    <section class="vz-menu" id="call-show" aria-labelledby="show-heading">
      <h3 class="kern-heading-small" id="show-heading" tabIndex={-1} ref={heading}>
        {t("show-heading")}
      </h3>
      <ul class="vz-menu__list">
        {canShareScreen() && (
          <li>
            <Button
              kind="secondary"
              icon="screen"
              label={t("show-screen")}
              onClick={() => show(shareScreen)}
            />
            <p class="kern-body kern-body--small">{t("show-screen-hint")}</p>
          </li>
        )}
        <li>
          <Button
            kind="secondary"
            icon="draft"
            label={t("show-paper")}
            onClick={() => show(sharePaper, true)}
          />
          <p class="kern-body kern-body--small">{t("show-paper-hint")}</p>
        </li>
        <li>
          <Button
            kind="secondary"
            icon="photo"
            label={t("show-photo")}
            onClick={() => file.current?.click()}
          />
          <input
            ref={file}
            type="file"
            hidden
            accept="image/*"
            aria-label={t("show-photo")}
            onChange={(event) => {
              const chosen = event.currentTarget.files?.[0];
              if (chosen) show(() => sharePhoto(chosen));
              event.currentTarget.value = "";
            }}
          />
          <p class="kern-body kern-body--small">{t("show-photo-hint")}</p>
        </li>
      </ul>
      <div role="alert">
        {failed && (
          <p class="kern-error">
            <Icon name="danger" />
            <span class="kern-body">{t("show-failed")}</span>
          </p>
        )}
      </div>
    </section>
  );
}
