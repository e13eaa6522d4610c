// One booking, opened by the secret in its link.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Refused, type Api } from "../api/client";
import type { Booking, Slot, Slots } from "../api/types";
import type { Texts } from "../lib/texts";
import { Alert, Button, Confirm, StateHeading, useAction, useNow } from "../visit/parts";
import { DayNames, moment } from "./days";
import { Offered } from "./offered";
import { Picker } from "./picker";

export interface ManageProps {
  t: Texts;
  api: Api;
  language: "de" | "en";
  token: string;
  visitHref: string;
  officeHref: string;
  manageHref: string;
  waitingListHref: string;
}

export interface ActionsProps extends ManageProps {
  booking: Booking;
  /** Does something with the booking and shows what it is then. */
  act: (action: () => Promise<Booking>) => () => Promise<void>;
  onFailure: (error: unknown) => void;
}

/** The booking that the secret opens, as it was told last; or why it cannot be shown. */
export function useBooking({ t, api, token }: ManageProps) {
  const [booking, setBooking] = useState<Booking>();
  const [failure, setFailure] = useState<string>();
  const told = (error: unknown) => {
    setFailure(error instanceof Refused ? (error.problem.detail ?? t("form-network")) : t("form-network"));
  };
  const act = (action: () => Promise<Booking>) => () => {
    setFailure(undefined);
    return action().then(setBooking, told);
  };
  useEffect(() => {
    void act(() => api.booking(token))();
  }, [token]);
  const alert = failure && (
    <div role="alert">
      <Alert kind="danger" title={failure} />
    </div>
  );
  return { booking, act, told, alert };
}

export function Loading({ t, title, alert }: { t: Texts; title: string; alert: ComponentChildren }) {
  return (
    <div class="vz-form">
      <StateHeading text={title} focus={false} />
      {alert ?? (
        <p class="kern-body" role="status">
          {t("manage-loading")}
        </p>
      )}
    </div>
  );
}

export function Manage(props: ManageProps) {
  const { t } = props;
  const { booking, act, told, alert } = useBooking(props);
  if (!booking) return <Loading t={t} title={t("manage-title")} alert={alert} />;
  return (
    <div class="vz-form">
      <StateHeading key={booking.state} text={t(`manage-${booking.state.replace("_", "-")}-heading`)} focus />
      {alert}
      <Facts {...props} booking={booking} />
      {booking.holder === "booker" && <Actions {...props} booking={booking} act={act} onFailure={told} />}
    </div>
  );
}

export function Facts({ t, language, booking }: ManageProps & { booking: Booking }) {
  const names = new DayNames(language);
  const rows: [string, string][] = [
    [t("manage-when"), `${names.day(booking.date)}, ${t("book-time", { time: booking.time })}`],
    [t("manage-office"), booking.office_name],
    [t("manage-services"), booking.services.map(({ name }) => name).join(", ")],
    [t("manage-code"), booking.code],
  ];
  const documents = booking.services.flatMap((service) => service.documents);
  if (documents.length > 0) rows.push([t("manage-documents"), documents.join("; ")]);
  return (
    <dl class="vz-facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt class="kern-body kern-body--bold">{name}</dt>
          <dd class="kern-body">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions(props: ActionsProps) {
  const { t, api, token, booking, act, onFailure } = props;
  const [confirm, confirming] = useAction(act(() => api.confirmBooking(token)));
  const again = (
    <a class="kern-btn kern-btn--primary vz-fit" href={`${props.officeHref}${booking.office}/termin`}>
      <span class="kern-label">{t("manage-book-again")}</span>
    </a>
  );
  switch (booking.state) {
    case "unconfirmed":
      return (
        <>
          <p class="kern-body">{t("manage-unconfirmed-text")}</p>
          <div>
            <Button kind="primary" large label={t("manage-confirm")} busy={confirming} onClick={confirm} />
          </div>
        </>
      );
    case "confirmed":
      return <Confirmed {...props} />;
    case "arrived":
      return booking.visit ? (
        <a class="kern-btn kern-btn--primary vz-fit" href={props.visitHref + booking.visit}>
          <span class="kern-label">{t("manage-to-visit")}</span>
        </a>
      ) : null;
    case "cancelled":
    case "expired":
    case "no_show":
      return (
        <>
          <p class="kern-body">{t(`manage-${booking.state.replace("_", "-")}-text`)}</p>
          {again}
          {booking.state === "cancelled" && <CalendarFile {...{ t, api, token, onFailure }} />}
        </>
      );
    case "held":
      return again;
  }
}

function Confirmed(props: ActionsProps) {
  const { t, api, token, booking, act, onFailure } = props;
  const now = useNow(15_000);
  const [offer, setOffer] = useState<Slots>();
  const [asking, setAsking] = useState(false);
  const open = now >= Date.parse(booking.check_in_from);
  const from = moment(props.language, booking.time_zone, booking.check_in_from);
  const [come, coming] = useAction(async () => {
    try {
      location.assign(props.visitHref + (await api.checkIn(token)).visit);
    } catch (error) {
      onFailure(error);
    }
  });
  const [find, finding] = useAction(async () => {
    try {
      setOffer(
        await api.slots(
          booking.office,
          booking.services.map(({ id }) => id),
        ),
      );
    } catch (error) {
      onFailure(error);
    }
  });
  const move = (slot: Slot) =>
    act(async () => {
      const moved = await api.moveBooking(token, slot.start);
      setOffer(undefined);
      return moved;
    })();
  return (
    <>
      {booking.offer && <Offered {...props} offer={booking.offer} />}
      {open ? (
        <div>
          <Button kind="primary" large icon="door" label={t("manage-come")} busy={coming} onClick={come} />
        </div>
      ) : (
        <p class="kern-body vz-note">{t("manage-come-from", { from })}</p>
      )}
      <div class="vz-actions">
        <CalendarFile {...{ t, api, token, onFailure }} />
        <Button kind="secondary" label={t("manage-move")} busy={finding} onClick={find} />
        <Button kind="secondary" label={t("manage-cancel")} onClick={() => setAsking(true)} />
      </div>
      {offer && (
        <section aria-label={t("manage-move")}>
          <h2 class="kern-heading-medium">{t("book-step-time")}</h2>
          <Picker t={t} language={props.language} offer={offer} onChoose={(slot) => void move(slot)} />
        </section>
      )}
      <Earlier {...props} />
      <Links {...props} />
      <Confirm
        open={asking}
        heading={t("manage-cancel-heading")}
        text={t("manage-cancel-text")}
        confirm={t("manage-cancel-yes")}
        cancel={t("manage-cancel-no")}
        onConfirm={() => {
          setAsking(false);
          void act(() => api.cancelBooking(token))();
        }}
        onCancel={() => setAsking(false)}
      />
    </>
  );
}

/** The way to the page where an earlier time can be waited for. */
function Earlier({ t, token, booking, waitingListHref }: ActionsProps) {
  return (
    <section aria-labelledby="earlier">
      <h2 class="kern-heading-medium" id="earlier">
        {t("waiting-manage-heading")}
      </h2>
      <p class="kern-body">{t(booking.wants_earlier ? "waiting-on" : "waiting-off")}</p>
      <a class="kern-link kern-link--no-visited-state" href={`${waitingListHref}#${token}`}>
        {t("waiting-link")}
      </a>
    </section>
  );
}

/** Links of their own for those who come along: the booker's own link stays the booker's. */
function Links({ t, api, token, onFailure }: ActionsProps) {
  const [links, setLinks] = useState<{ role: "interpreter" | "companion"; href: string }[]>([]);
  const make = async (role: "interpreter" | "companion") => {
    try {
      const link = await api.bookingLink(token, role);
      setLinks([...links, { role, href: `${location.origin}${location.pathname}#${link.token}` }]);
    } catch (error) {
      onFailure(error);
    }
  };
  return (
    <section aria-labelledby="links">
      <h2 class="kern-heading-medium" id="links">
        {t("manage-links")}
      </h2>
      <p class="kern-body">{t("manage-links-text")}</p>
      <div class="vz-actions">
        <Button
          kind="secondary"
          label={t("manage-link-interpreter")}
          onClick={() => void make("interpreter")}
        />
        <Button kind="secondary" label={t("manage-link-companion")} onClick={() => void make("companion")} />
      </div>
      <div aria-live="polite">
        {links.map(({ role, href }, index) => (
          <div class="kern-form-input" key={href}>
            <label class="kern-label" for={`link-${index}`}>
              {t(`manage-link-for-${role}`)}
            </label>
            <input class="kern-form-input__input" id={`link-${index}`} readOnly value={href} />
          </div>
        ))}
      </div>
    </section>
  );
}

interface FileProps {
  t: Texts;
  api: Api;
  token: string;
  onFailure: (error: unknown) => void;
}

function CalendarFile({ t, api, token, onFailure }: FileProps) {
  const save = async () => {
    try {
      const file = await api.bookingCalendar(token);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = "termin.ics";
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      onFailure(error);
    }
  };
  return (
    <Button kind="secondary" icon="calendar-today" label={t("manage-calendar")} onClick={() => void save()} />
  );
}
