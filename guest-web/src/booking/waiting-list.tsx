// The waiting list for an earlier time: whether one is on it, where, and what is offered.

import type { Booking } from "../api/types";
import { Button, StateHeading, useAction } from "../visit/parts";
import { Facts, Loading, useBooking, type ActionsProps, type ManageProps } from "./manage";
import { Offered } from "./offered";

export function WaitingList(props: ManageProps) {
  const { t, token, manageHref } = props;
  const { booking, act, told, alert } = useBooking(props);
  if (!booking) return <Loading t={t} title={t("waiting-title")} alert={alert} />;
  const possible = booking.holder === "booker" && booking.state === "confirmed";
  return (
    <div class="vz-form">
      <StateHeading text={t("waiting-title")} focus={false} />
      {alert}
      {possible ? (
        <>
          {booking.offer && (
            <Offered {...props} booking={booking} act={act} onFailure={told} offer={booking.offer} />
          )}
          <p class="kern-body">{t("waiting-how")}</p>
          <Wish {...props} booking={booking} act={act} onFailure={told} />
        </>
      ) : (
        <p class="kern-body">{t("waiting-not-possible")}</p>
      )}
      <section aria-labelledby="own">
        <h2 class="kern-heading-medium" id="own">
          {t("waiting-own")}
        </h2>
        <Facts {...props} booking={booking} />
      </section>
      <a class="kern-link kern-link--no-visited-state" href={`${manageHref}#${token}`}>
        {t("waiting-back")}
      </a>
    </div>
  );
}

/** On the list or off it. The button stays in its place, so that the focus does as well. */
function Wish({ t, api, token, booking, act }: ActionsProps) {
  const wanted = booking.wants_earlier;
  const [change, changing] = useAction(act(() => api.wantEarlier(token, !wanted)));
  return (
    <>
      <p class="kern-body" role="status" data-waiting={wanted}>
        <strong>{t(wanted ? "waiting-on" : "waiting-off")}</strong> {place(t, booking)}
      </p>
      <div>
        <Button
          kind={wanted ? "secondary" : "primary"}
          label={t(wanted ? "waiting-leave" : "waiting-join")}
          busy={changing}
          onClick={change}
        />
      </div>
    </>
  );
}

function place(t: ActionsProps["t"], { waiting }: Booking): string {
  return waiting ? t("waiting-place", { place: waiting.place, of: waiting.of }) : "";
}
