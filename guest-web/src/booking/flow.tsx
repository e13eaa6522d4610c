// Booking: what for, when, who.

import { useRef, useState } from "preact/hooks";
import { Refused, type Api } from "../api/client";
import type { Contact, FieldError, Hold, Language, NewBooking, Slot } from "../api/types";
import type { Texts } from "../lib/texts";
import { Alert, Button, StateHeading, useAction, useNow, useSingly } from "../visit/parts";
import { Alternatives } from "./alternatives";
import { CONTACT_FIELDS, ContactForm } from "./contact";
import { clock, DayNames, endsSoon } from "./days";
import { Failure } from "./failure";
import { type Free, search } from "./free";
import { Picker } from "./picker";
import { timeOf } from "./twice";

export interface Service {
  id: string;
  name: string;
  minutes: string;
}

export interface FlowProps {
  t: Texts;
  api: Api;
  language: Language;
  languages: readonly Language[];
  office: string;
  services: Service[];
  privacyHref: string;
  manageHref: string;
  waitingListHref: string;
}

type Step =
  | { name: "services" }
  | { name: "time"; found: Free; missed?: readonly Slot[] }
  | { name: "contact"; hold: Hold; slot: Slot }
  | { name: "done"; made: NewBooking; mail: string };

/** What each step asks for, by the ids that lead there. */
const FIELDS: Record<Step["name"], readonly string[]> = {
  services: ["services"],
  time: ["start"],
  contact: CONTACT_FIELDS,
  done: [],
};

export function Flow(props: FlowProps) {
  const { t, api, office, language } = props;
  const [step, setStep] = useState<Step>({ name: "services" });
  const [moved, setMoved] = useState(false);
  const [chosen, setChosen] = useState<string[]>(
    props.services.length === 1 ? props.services.map(({ id }) => id) : [],
  );
  const [problem, setProblem] = useState<string>();
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  // Nobody has to type again because the time is another one.
  const typed = useRef<Contact | undefined>(undefined);
  const names = new DayNames(language);

  const show = (next: Step) => {
    setMoved(true);
    setProblem(undefined);
    setErrors([]);
    setStep(next);
  };
  const ask = (from?: string) => api.slots(office, chosen, from);
  /** Shows the times again, with what can be had instead of the one that was lost. */
  const again = async (missed?: readonly Slot[]) => {
    const found = await search(ask);
    show({ name: "time", found, ...(missed ? { missed } : {}) });
  };
  const told = (error: unknown) => {
    if (!(error instanceof Refused)) return setProblem(t("form-network"));
    setErrors(error.problem.errors ?? []);
    setProblem(error.problem.detail ?? error.problem.title ?? t("form-network"));
  };

  const [find, finding] = useAction(() => again().catch(told));
  const holding = useSingly();
  /** A second hold would be refused because of the first. */
  const hold = (slot: Slot) =>
    holding.run(async () => {
      try {
        show({ name: "contact", hold: await api.hold(office, chosen, slot.start), slot });
      } catch (error) {
        if (error instanceof Refused && error.problem.alternatives) {
          await again(error.problem.alternatives).catch(told);
          setProblem(error.problem.detail);
        } else told(error);
      }
    });
  /** First the time is given back, so that it is among those to choose from. */
  const letGo = (held: Hold) =>
    holding.run(async () => {
      await api.letGo(office, held.token).catch(() => undefined);
      await again().catch(told);
    });
  const book = async (contact: Contact, token: string) => {
    try {
      show({ name: "done", made: await api.book(contact, token), mail: contact.mail });
    } catch (error) {
      told(error);
      if (!(error instanceof Refused)) return;
      const { alternatives, detail, type } = error.problem;
      if (alternatives || type === "/problems/booking-lapsed") {
        await again(alternatives).catch(told);
        setProblem(detail);
      }
    }
  };
  const alert = problem && (
    <Failure text={problem} errors={errors}>
      {errors.length > 0 && (
        <ul class="kern-list">
          {errors.map(({ field, detail }) => {
            const said = `${t(`book-field-${field}`)}: ${detail}`;
            return (
              <li key={field}>
                {FIELDS[step.name].includes(field) ? (
                  <a class="kern-link kern-link--no-visited-state" href={`#${field}`}>
                    {said}
                  </a>
                ) : (
                  said
                )}
              </li>
            );
          })}
        </ul>
      )}
    </Failure>
  );

  switch (step.name) {
    case "services":
      return (
        <form
          class="vz-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (chosen.length === 0) setProblem(t("book-choose-service"));
            else find();
          }}
        >
          <StateHeading key={step.name} text={t("book-step-service")} focus={moved} />
          {alert}
          <fieldset class="kern-fieldset" id="services" tabIndex={-1}>
            <legend class="kern-label">{t("book-services")}</legend>
            <div class="kern-fieldset__body">
              {props.services.map((service) => (
                <div class="kern-form-check" key={service.id}>
                  <input
                    class="kern-form-check__checkbox"
                    type="checkbox"
                    id={`service-${service.id}`}
                    checked={chosen.includes(service.id)}
                    onChange={(event) => {
                      setProblem(undefined);
                      setChosen(
                        event.currentTarget.checked
                          ? [...chosen, service.id]
                          : chosen.filter((id) => id !== service.id),
                      );
                    }}
                  />
                  <label class="kern-label" for={`service-${service.id}`}>
                    {service.name} ({service.minutes})
                  </label>
                </div>
              ))}
            </div>
          </fieldset>
          <div>
            <Button kind="primary" type="submit" label={t("book-find-time")} busy={finding} />
          </div>
        </form>
      );
    case "time":
      return (
        <div class="vz-form vz-form--wide">
          <StateHeading key={step.name} text={t("book-step-time")} focus={moved} />
          {alert}
          <Alternatives
            t={t}
            language={language}
            slots={step.missed}
            among={step.found.slots}
            onChoose={(slot) => void hold(slot)}
          />
          <div id="start" tabIndex={-1}>
            <Picker
              t={t}
              language={language}
              found={step.found}
              ask={ask}
              onChoose={(slot) => void hold(slot)}
            />
          </div>
          {step.found.slots.length > 0 && <p class="kern-body vz-note">{t("waiting-book-hint")}</p>}
          <div>
            <Button
              kind="tertiary"
              icon="arrow-back"
              label={t("book-back")}
              onClick={() => show({ name: "services" })}
            />
          </div>
        </div>
      );
    case "contact": {
      const { slot, hold: held } = step;
      const until = clock(language, held.time_zone, held.expires_at);
      return (
        <div class="vz-form">
          <StateHeading key={step.name} text={t("book-step-contact")} focus={moved} />
          <div>
            <p class="kern-body">
              <strong>
                {names.day(slot.date)}, {timeOf(t, { ...slot, timeZone: held.time_zone })}
              </strong>
              <br />
              {t("book-held", { until })}
            </p>
            <HoldEnds t={t} until={until} expires={held.expires_at} />
          </div>
          {alert}
          <ContactForm
            t={t}
            language={language}
            languages={props.languages}
            privacyHref={props.privacyHref}
            errors={errors}
            typed={typed.current}
            onType={(contact) => {
              typed.current = contact;
            }}
            onSend={(contact) => book(contact, held.token)}
          />
          <div>
            <Button
              kind="tertiary"
              icon="arrow-back"
              label={t("book-other-time")}
              onClick={() => void letGo(held)}
            />
          </div>
        </div>
      );
    }
    case "done": {
      const { booking, token } = step.made;
      const until = booking.expires_at && clock(language, booking.time_zone, booking.expires_at);
      return (
        <div class="vz-form">
          <StateHeading key={step.name} text={t(token ? "book-done" : "book-nearly-done")} focus={moved} />
          <Alert
            kind={token ? "success" : "info"}
            title={`${names.day(booking.date)}, ${timeOf(t, { ...booking, timeZone: booking.time_zone })}`}
          >
            <p class="kern-body">
              {t(token ? "book-done-text" : "book-nearly-done-text", { mail: step.mail })}
            </p>
            {until && <p class="kern-body">{t("book-nearly-done-until", { until })}</p>}
          </Alert>
          <p class="kern-body">{t("book-code", { code: booking.code })}</p>
          {token && (
            <ul class="kern-list">
              <li>
                <a class="kern-link" href={`${props.manageHref}#${token}`}>
                  {t("book-manage-link")}
                </a>
              </li>
              <li>
                <a class="kern-link" href={`${props.waitingListHref}#${token}`}>
                  {t("waiting-manage-heading")} {t("waiting-link")}
                </a>
              </li>
            </ul>
          )}
        </div>
      );
    }
  }
}

/** Says before the time is up that it soon will be, to those who listen too. */
function HoldEnds({ t, until, expires }: { t: Texts; until: string; expires: string }) {
  const now = useNow(10_000);
  return (
    <div role="status">
      {endsSoon(expires, now) && <p class="kern-body vz-note">{t("book-held-ends", { until })}</p>}
    </div>
  );
}
