// One booking, opened by the secret in its link.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Refused, type Api } from "../api/client";
import type { Booking, Slot } from "../api/types";
import type { Texts } from "../lib/texts";
import { DeviceCheck } from "../visit/device-check";
import { Button, Confirm, StateHeading, useAction, useNow, useSingly } from "../visit/parts";
import { Alternatives } from "./alternatives";
import { clock, DayNames, moment } from "./days";
import { Failure } from "./failure";
import { type Ask, type Free, search } from "./free";
import { Offered } from "./offered";
import { Picker } from "./picker";
import { timeOf } from "./twice";

export interface ManageProps {
  t: Texts;
  api: Api;
  language: "de" | "en";
  token: string;
  /** Whether conversations have a video call. */
  calls: boolean;
  visitHref: string;
  officeHref: string;
  manageHref: string;
  besideHref: string;
  waitingListHref: string;
}

export interface ActionsProps extends ManageProps {
  booking: Booking;
  /** What can be had instead of a time that was refused. */
  missed?: readonly Slot[] | undefined;
  /** Does something with the booking and shows what it is then, also if it was refused. */
  act: (action: () => Promise<Booking>) => () => Promise<void>;
  onFailure: (error: unknown) => void;
}

/** The booking that the secret opens, as it was told last; or why it cannot be shown. */
export function useBooking({ t, api, token, visitHref }: ManageProps) {
  const [shown, setShown] = useState<{ booking: Booking; moved: boolean }>();
  const [failure, setFailure] = useState<{ text: string; visit?: string }>();
  const [missed, setMissed] = useState<readonly Slot[]>();
  const told = (error: unknown) => {
    const { detail, visit } = error instanceof Refused ? error.problem : {};
    setFailure({ text: detail ?? t("form-network"), ...(visit ? { visit } : {}) });
  };
  const show = (booking: Booking) =>
    setShown((before) => ({
      booking,
      moved: before !== undefined && (before.moved || before.booking.start !== booking.start),
    }));
  const act = (action: () => Promise<Booking>) => async () => {
    setFailure(undefined);
    setMissed(undefined);
    try {
      show(await action());
    } catch (error) {
      // Whatever was refused, the booking may no longer be what is shown.
      if (shown && error instanceof Refused) await api.booking(token).then(show, () => undefined);
      told(error);
      if (error instanceof Refused) setMissed(error.problem.alternatives);
    }
  };
  useEffect(() => {
    void act(() => api.booking(token))();
  }, [token]);
  return {
    booking: shown?.booking,
    missed,
    /** Whether it has got another time since the page was opened. */
    moved: shown?.moved ?? false,
    act,
    told,
    alert: failure && (
      <Failure text={failure.text}>
        {failure.visit && (
          <>
            {shown?.booking.state === "confirmed" && <p class="kern-body">{t("manage-here-still")}</p>}
            <p class="kern-body">
              <a class="kern-link kern-link--no-visited-state" href={visitHref + failure.visit}>
                {t("manage-here-link")}
              </a>
            </p>
          </>
        )}
      </Failure>
    ),
  };
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
  const { booking, missed, moved, act, told, alert } = useBooking(props);
  if (!booking) return <Loading t={t} title={t("manage-title")} alert={alert} />;
  const state = stateKey(booking, moved);
  return (
    <div class="vz-form">
      <StateHeading key={`${booking.state} ${booking.start}`} text={t(`manage-${state}-heading`)} focus />
      {alert}
      {booking.holder === "booker" && booking.state === "unconfirmed" && (
        <Unconfirmed {...props} booking={booking} act={act} onFailure={told} />
      )}
      <Facts {...props} booking={booking} />
      {booking.holder === "booker" && (
        <Actions {...props} booking={booking} missed={missed} act={act} onFailure={told} />
      )}
      {booking.holder === "calendar" && <Arriving {...props} booking={booking} act={act} onFailure={told} />}
      {["interpreter", "companion"].includes(booking.holder) &&
        ["confirmed", "arrived"].includes(booking.state) && (
          <section>
            <p class="kern-body">{t("manage-join-text")}</p>
            <a class="kern-btn kern-btn--primary vz-fit" href={`${props.besideHref}#${props.token}`}>
              <span class="kern-label">{t("manage-join")}</span>
            </a>
          </section>
        )}
    </div>
  );
}

/** The name of the booking's state in the message files. */
function stateKey(booking: Booking, moved: boolean): string {
  if (moved && booking.state === "confirmed") return "moved";
  const own = booking.holder === "booker" || booking.holder === "calendar";
  if (own && booking.state === "arrived" && !booking.visit) return "over";
  return booking.state.replace("_", "-");
}

export function Facts({ t, language, booking }: ManageProps & { booking: Booking }) {
  const names = new DayNames(language);
  const time = timeOf(t, { ...booking, timeZone: booking.time_zone });
  const rows: [string, string][] = [
    [t("manage-when"), `${names.day(booking.date)}, ${time}`],
    [t("manage-office"), booking.office_name],
    [t("manage-services"), booking.services.map(({ name }) => name).join(", ")],
    [t("manage-code"), booking.code],
  ];
  const documents = [...new Set(booking.services.flatMap((service) => service.documents))];
  return (
    <dl class="vz-facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt class="kern-body kern-body--bold">{name}</dt>
          <dd class="kern-body">{value}</dd>
        </div>
      ))}
      {documents.length > 0 && (
        <div>
          <dt class="kern-body kern-body--bold">{t("manage-documents")}</dt>
          <dd class="kern-body">
            <ul class="kern-list kern-list--bullet vz-tight">
              {documents.map((document) => (
                <li key={document}>{document}</li>
              ))}
            </ul>
          </dd>
        </div>
      )}
    </dl>
  );
}

/** What has to be done comes first: on a small screen the facts fill it. */
function Unconfirmed({ t, api, token, language, booking, act }: ActionsProps) {
  const [confirm, confirming] = useAction(act(() => api.confirmBooking(token)));
  const until = booking.expires_at && clock(language, booking.time_zone, booking.expires_at);
  return (
    <section class="vz-part">
      <p class="kern-body">
        {t("manage-unconfirmed-text")} {until && t("book-nearly-done-until", { until })}
      </p>
      <Button kind="primary" large label={t("manage-confirm")} busy={confirming} onClick={confirm} />
    </section>
  );
}

function Actions(props: ActionsProps) {
  const { t, api, token, booking, missed, onFailure } = props;
  const again = (
    <a class="kern-btn kern-btn--primary vz-fit" href={`${props.officeHref}${booking.office}/termin`}>
      <span class="kern-label">{t("manage-book-again")}</span>
    </a>
  );
  switch (booking.state) {
    case "unconfirmed":
      return null;
    case "confirmed":
      return <Confirmed {...props} />;
    case "arrived":
      return booking.visit ? (
        <Come {...props} label={t("manage-to-visit")} />
      ) : (
        <>
          <p class="kern-body">{t("manage-over-text")}</p>
          {again}
        </>
      );
    case "cancelled":
    case "expired":
    case "no_show":
      return (
        <>
          <p class="kern-body">{t(`manage-${booking.state.replace("_", "-")}-text`)}</p>
          <Alternatives t={t} language={props.language} slots={missed} />
          {again}
          {booking.state === "cancelled" && (
            <div>
              <CalendarFile {...{ t, api, token, onFailure }} />
            </div>
          )}
        </>
      );
    case "held":
      return again;
  }
}

/** The way to the visit, in this browser: whichever had it open before loses it. */
function Come({ api, token, visitHref, label, onFailure }: ActionsProps & { label: string }) {
  const [come, coming] = useAction(async () => {
    try {
      location.assign(visitHref + (await api.checkIn(token)).visit);
    } catch (error) {
      onFailure(error);
    }
  });
  return (
    <div>
      <Button kind="primary" large icon="door" label={label} busy={coming} onClick={come} />
    </div>
  );
}

/** The way to the visit once it is time, and the test of devices that one can make at any time. */
function Coming(props: ActionsProps) {
  const { t, booking, calls, language } = props;
  const now = useNow(15_000);
  const open = now >= Date.parse(booking.check_in_from);
  const from = moment(language, booking.time_zone, booking.check_in_from);
  return (
    <>
      {open ? (
        <Come {...props} label={t("manage-come")} />
      ) : (
        <p class="kern-body vz-note">{t("manage-come-from", { from })}</p>
      )}
      {calls && <DeviceCheck t={t} />}
    </>
  );
}

/** The link in the citizen's calendar, which others may see, changes nothing. */
function Arriving(props: ActionsProps) {
  const { t, booking } = props;
  return (
    <>
      {booking.state === "confirmed" && <Coming {...props} />}
      {booking.state === "arrived" && booking.visit && <Come {...props} label={t("manage-to-visit")} />}
      {booking.state === "confirmed" && <p class="kern-body">{t("manage-by-mail")}</p>}
    </>
  );
}

function Confirmed(props: ActionsProps) {
  const { t, api, token, booking, missed, act, onFailure } = props;
  const [found, setFound] = useState<Free>();
  const [asking, setAsking] = useState(false);
  const services = booking.services.map(({ id }) => id);
  const ask: Ask = (from) => api.slots(booking.office, services, from);
  const [find, finding] = useAction(async () => {
    try {
      setFound(await search(ask));
    } catch (error) {
      onFailure(error);
    }
  });
  const moving = useSingly();
  const move = (slot: Slot) =>
    moving.run(
      act(async () => {
        try {
          const moved = await api.moveBooking(token, slot.start);
          setFound(undefined);
          return moved;
        } catch (error) {
          // What is shown is out of date.
          if (error instanceof Refused && error.problem.alternatives) setFound(await search(ask));
          throw error;
        }
      }),
    );
  return (
    <>
      {booking.offer && <Offered {...props} offer={booking.offer} />}
      <Coming {...props} />
      <div class="vz-actions">
        <CalendarFile {...{ t, api, token, onFailure }} />
        <Button kind="secondary" label={t("manage-move")} busy={finding} onClick={find} />
        <Button kind="secondary" label={t("manage-cancel")} onClick={() => setAsking(true)} />
      </div>
      <Alternatives
        t={t}
        language={props.language}
        slots={missed}
        among={found?.slots ?? []}
        onChoose={(slot) => void move(slot)}
      />
      {found && (
        <section class="vz-part" aria-label={t("manage-move")}>
          <h2 class="kern-heading-medium">{t("book-step-time")}</h2>
          <Picker
            t={t}
            language={props.language}
            found={found}
            ask={ask}
            onChoose={(slot) => void move(slot)}
          />
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
    <section class="vz-part" aria-labelledby="earlier">
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
  const [copied, setCopied] = useState<string>();
  const copy = async (href: string) => {
    await navigator.clipboard.writeText(href);
    setCopied(href);
  };
  const make = async (role: "interpreter" | "companion") => {
    try {
      const link = await api.bookingLink(token, role);
      setLinks([...links, { role, href: `${location.origin}${location.pathname}#${link.token}` }]);
    } catch (error) {
      onFailure(error);
    }
  };
  return (
    <section class="vz-part" aria-labelledby="links">
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
            {"clipboard" in navigator && (
              <div>
                <Button kind="tertiary" label={t("bring-copy")} onClick={() => void copy(href)} />
              </div>
            )}
            {copied === href && <p class="kern-body">{t("bring-copied")}</p>}
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
