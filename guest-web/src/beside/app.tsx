import type { Texts } from "../lib/texts";
import { CallArea } from "../visit/call-area";
import { DeviceCheck } from "../visit/device-check";
import { StateHeading } from "../visit/parts";
import type { BesideSession, BesideState } from "./session";

export function Beside({ t, session, state }: { t: Texts; session: BesideSession; state: BesideState }) {
  const { place, refused, ended } = state;
  if (ended === "over") return <Said heading={t("beside-over-heading")} text={t("beside-over-text")} />;
  if (ended === "turned out") return <Said heading={t("beside-out-heading")} text={t("beside-out-text")} />;
  if (!place) {
    if (!refused)
      return (
        <p class="kern-body" role="status">
          {t("manage-loading")}
        </p>
      );
    return (
      <>
        <Said heading={refused.problem.title ?? ""} text={refused.problem.detail ?? ""} />
        {state.early && <DeviceCheck t={t} />}
      </>
    );
  }
  const { office_name: office, ticket, clerk_name: clerk } = place;
  if (place.state === "waiting")
    return (
      <>
        <Said heading={t("beside-waiting-heading")} text={t("beside-waiting-text", { office })} />
        <DeviceCheck t={t} />
      </>
    );
  const about = clerk
    ? t("beside-ready-clerk", { ticket, office, clerk })
    : t("beside-ready-text", { ticket, office });
  return (
    <>
      <Said key="ready" heading={t("beside-ready-heading")} text={about} />
      <CallArea t={t} session={session} text={t("beside-join-text")} onLines={() => undefined} />
    </>
  );
}

function Said({ heading, text }: { heading: string; text: string }) {
  return (
    <>
      <StateHeading key={heading} text={heading} focus />
      <p class="kern-body" role="status">
        {text}
      </p>
    </>
  );
}
