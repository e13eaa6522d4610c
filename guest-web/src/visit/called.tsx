import { useEffect } from "preact/hooks";
import { recall } from "../call/choice";
import { preloadCall } from "./call-area";
import { DeviceCheck } from "./device-check";
import { Failure, type ViewProps } from "./app";
import { Button, StateHeading, useAction, useNow } from "./parts";
import { minutesLeft } from "./title";

export function Called({ tools, visit, arrived }: ViewProps) {
  const { t, session } = tools;
  // Who has chosen to speak does so right after entering: what that takes is loaded meanwhile.
  const ahead = () => {
    if (tools.calls && (recall().mode ?? "chat") !== "chat") preloadCall();
  };
  useEffect(ahead, []);
  const [enter, entering, failure] = useAction(() => {
    ahead();
    return session.enter();
  });
  const now = useNow(5_000);
  return (
    <>
      <div class="vz-called">
        <StateHeading text={t("visit-called-heading")} focus={arrived} />
        <p class="vz-ticket__number">{visit.ticket}</p>
        <p class="kern-body kern-body--large">
          {visit.clerk_name ? t("visit-called-by", { clerk: visit.clerk_name }) : t("visit-called-text")}
        </p>
        <Button kind="primary" icon="door" label={t("visit-enter")} busy={entering} onClick={enter} large />
        {visit.enter_by && (
          <p class="kern-body">{t("visit-enter-by", { minutes: minutesLeft(visit.enter_by, now) })}</p>
        )}
      </div>
      <Failure t={t} failure={failure} />
      {tools.calls && <DeviceCheck t={t} entering />}
    </>
  );
}
