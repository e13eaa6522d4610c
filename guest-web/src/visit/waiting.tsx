import { useState } from "preact/hooks";
import { estimate } from "../lib/wait";
import { DeviceCheck } from "./device-check";
import { Failure, type ViewProps } from "./app";
import { Awake, type NotifyState, notifyState } from "./attention";
import { Log } from "./log";
import { Alert, Button, Check, Confirm, Icon, StateHeading, useAction } from "./parts";

export function Waiting({ tools, state, visit, arrived }: ViewProps) {
  const { t, session } = tools;
  const [asking, setAsking] = useState(false);
  const [leave, leaving, failure] = useAction(() => session.leave());
  const { position } = visit;
  return (
    <>
      <StateHeading text={t("visit-waiting-heading")} focus={arrived} />
      <div class="vz-ticket">
        <p class="kern-body vz-ticket__label">{t("visit-ticket")}</p>
        <p class="vz-ticket__number">{visit.ticket}</p>
        {/* Only a new position is read out; the estimate changes too often. */}
        <p class="kern-body kern-body--large" role="status">
          {position !== null && t("visit-position", { position, ahead: position - 1 })}
        </p>
        <p class="kern-body kern-body--large">{estimate(t, visit.estimated_wait_s)}</p>
      </div>
      <div role="status">
        {visit.notice && (
          <Alert kind="warning" title={t("visit-notice")}>
            <p class="kern-body vz-words">{visit.notice}</p>
          </Alert>
        )}
      </div>
      {state.log.length > 0 && (
        <section class="vz-section" aria-labelledby="messages">
          <h2 class="kern-heading-medium" id="messages">
            {t("visit-messages-heading")}
          </h2>
          <Log t={t} log={state.log} onRetry={(entry) => session.retry(entry)} />
        </section>
      )}
      <p class="kern-body vz-keep-open">{t("visit-keep-open")}</p>
      <Alerts tools={tools} />
      {tools.calls && <DeviceCheck t={t} />}
      <Failure t={t} failure={failure} />
      <Button
        kind="tertiary"
        icon="logout"
        label={t("visit-leave")}
        busy={leaving}
        onClick={() => setAsking(true)}
      />
      <Confirm
        open={asking}
        heading={t("visit-leave-heading")}
        text={t("visit-leave-text")}
        confirm={t("visit-leave")}
        cancel={t("visit-leave-stay")}
        onCancel={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false);
          leave();
        }}
      />
    </>
  );
}

/** How to be reached when it is one's turn. Asked here, where it makes sense, and only when somebody wants it. */
function Alerts({ tools: { t, chime, awake } }: Pick<ViewProps, "tools">) {
  const [permission, setPermission] = useState<NotifyState>(notifyState);
  const [sound, setSound] = useState(chime.enabled);
  const [screen, setScreen] = useState(awake.enabled);
  const ask = async () => setPermission(await Notification.requestPermission());
  return (
    <section class="vz-section vz-alerts" aria-labelledby="alerts">
      <h2 class="kern-heading-small" id="alerts">
        {t("visit-alerts-heading")}
      </h2>
      {permission === "default" && (
        <Button kind="secondary" icon="bell" label={t("visit-notify")} onClick={() => void ask()} />
      )}
      <div role="status">
        {permission === "granted" && (
          <p class="kern-body vz-with-icon">
            <Icon name="success" />
            {t("visit-notify-on")}
          </p>
        )}
        {permission === "denied" && <p class="kern-body">{t("visit-notify-denied")}</p>}
      </div>
      <div class="vz-alerts__row">
        <Check
          id="sound"
          label={t("visit-sound")}
          checked={sound}
          onChange={(on) => {
            chime.enabled = on;
            setSound(on);
          }}
        />
        <Button kind="tertiary" label={t("visit-sound-test")} onClick={() => chime.play()} />
      </div>
      {Awake.supported && (
        <Check
          id="awake"
          label={t("visit-awake")}
          checked={screen}
          onChange={(on) => {
            awake.enabled = on;
            setScreen(on);
            void awake.update();
          }}
        />
      )}
    </section>
  );
}
