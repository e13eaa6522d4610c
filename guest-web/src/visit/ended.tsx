import { useEffect, useRef, useState } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Failure, type ViewProps } from "./app";
import { Button, Icon, StateHeading, useAction } from "./parts";
import type { Session } from "./session";

export function Ended({ tools, visit, arrived }: ViewProps) {
  const { t, session, lobbyHref, officeHref } = tools;
  const ending = (visit.ending ?? "served").replace("_", "-");
  return (
    <>
      <StateHeading text={t(`visit-ended-${ending}-heading`)} focus={arrived} />
      <p class="kern-body kern-body--large">{t(`visit-ended-${ending}`)}</p>
      {visit.ending === "declined" && visit.decline_text && (
        <blockquote class="vz-quote">
          <p class="kern-body kern-body--bold">{t("visit-ended-declined-reason")}:</p>
          <p class="kern-body vz-words">{visit.decline_text}</p>
        </blockquote>
      )}
      {visit.ending === "served" && <Rating t={t} session={session} rated={visit.rated} />}
      <div class="vz-section vz-actions">
        {visit.ending !== "served" && (
          <a
            class={`kern-btn kern-btn--${visit.ending === "declined" ? "secondary" : "primary"}`}
            href={officeHref + visit.office}
          >
            <Icon name="door" />
            <span class="kern-label">{t("visit-knock-again")}</span>
          </a>
        )}
        <a class="kern-btn kern-btn--secondary" href={lobbyHref}>
          <span class="kern-label">{t("visit-to-lobby")}</span>
        </a>
      </div>
    </>
  );
}

const STARS = [1, 2, 3, 4, 5] as const;

function Rating({ t, session, rated }: { t: Texts; session: Session; rated: boolean }) {
  const [stars, setStars] = useState<number>();
  const [hint, setHint] = useState(false);
  const thanks = useRef<HTMLParagraphElement>(null);
  // The form that had the focus is gone when the rating has arrived.
  useEffect(() => {
    if (rated && stars !== undefined) thanks.current?.focus();
  }, [rated, stars]);
  const [send, sending, failure] = useAction(async () => {
    if (stars !== undefined) await session.rate(stars);
  });
  return (
    <section class="vz-section" aria-label={t("visit-rating-heading")}>
      <div role="status">
        {rated && (
          <p class="kern-body vz-with-icon" tabIndex={-1} ref={thanks}>
            <Icon name="success" />
            {t("visit-rating-thanks")}
          </p>
        )}
      </div>
      {!rated && (
        <form
          class="vz-form"
          onSubmit={(event) => {
            event.preventDefault();
            setHint(stars === undefined);
            if (stars !== undefined) send();
          }}
        >
          <fieldset class="kern-fieldset" aria-describedby="rating-hint">
            <legend class="kern-label kern-label--large">{t("visit-rating-heading")}</legend>
            <div class="kern-hint" id="rating-hint">
              {t("visit-rating-hint")}
            </div>
            <div class="kern-fieldset__body">
              {STARS.map((star) => (
                <div class="kern-form-check" key={star}>
                  <input
                    class="kern-form-check__radio"
                    type="radio"
                    name="stars"
                    id={`stars-${star}`}
                    checked={stars === star}
                    onChange={() => setStars(star)}
                  />
                  <label class="kern-label" for={`stars-${star}`}>
                    {t(`visit-rating-${star}`)}
                  </label>
                </div>
              ))}
            </div>
          </fieldset>
          <div role="alert">
            {hint && stars === undefined && (
              <p class="kern-error">
                <Icon name="danger" />
                <span class="kern-body">{t("visit-rating-choose")}</span>
              </p>
            )}
          </div>
          <Failure t={t} failure={failure} />
          <div>
            <Button kind="primary" label={t("visit-rating-send")} type="submit" busy={sending} />
          </div>
        </form>
      )}
    </section>
  );
}
