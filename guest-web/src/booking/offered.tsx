import type { Booking } from "../api/types";
import { Button, useAction, useNow } from "../visit/parts";
import { DayNames, moment } from "./days";
import type { ActionsProps } from "./manage";
import { timeOf } from "./twice";

/** Another time that is held: taken, given back, or simply left until it is over. */
export function Offered(props: ActionsProps & { offer: NonNullable<Booking["offer"]> }) {
  const { t, api, token, act, offer, language } = props;
  const now = useNow(15_000);
  const [take, taking] = useAction(act(() => api.moveBooking(token, offer.start)));
  const [decline, declining] = useAction(act(() => api.turnDownOffer(token)));
  if (now >= Date.parse(offer.until)) return null;
  const { time_zone: timeZone } = props.booking;
  const time = `${new DayNames(language).day(offer.date)}, ${timeOf(t, { ...offer, timeZone })}`;
  const until = moment(language, timeZone, offer.until);
  return (
    <section class="vz-part" aria-labelledby="offer">
      <h2 class="kern-heading-medium" id="offer">
        {t(offer.by_office ? "manage-offer-office" : "manage-offer-earlier")}
      </h2>
      <p class="kern-body kern-body--bold">{time}</p>
      <p class="kern-body">{t("manage-offer-until", { until })}</p>
      <div class="vz-actions">
        <Button kind="primary" label={t("manage-offer-take")} busy={taking} onClick={take} />
        <Button kind="secondary" label={t("manage-offer-decline")} busy={declining} onClick={decline} />
      </div>
    </section>
  );
}
