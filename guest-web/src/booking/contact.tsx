// Who books. The server checks and words what is wrong; here it is put beside its field.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Contact, FieldError, Language } from "../api/types";
import type { Texts } from "../lib/texts";
import { Button, Icon, useAction } from "../visit/parts";

interface ContactProps {
  t: Texts;
  language: Language;
  /** Those of the city's mails and pages. */
  languages: readonly Language[];
  privacyHref: string;
  errors: readonly FieldError[];
  /** What was typed before, for another time. */
  typed: Contact | undefined;
  onType: (contact: Contact) => void;
  onSend: (contact: Contact) => Promise<void>;
}

interface FieldProps {
  name: string;
  label: string;
  optional?: string;
  hint?: string;
  error: string | undefined;
  children: (described: {
    id: string;
    name: string;
    "aria-describedby"?: string;
    "aria-invalid"?: "true";
  }) => ComponentChildren;
}

function Field({ name, label, optional, hint, error, children }: FieldProps) {
  const described = [error && `${name}-error`, hint && `${name}-hint`].filter(Boolean).join(" ");
  return (
    <div class={`kern-form-input${error ? " vz-invalid" : ""}`}>
      <label class="kern-label" for={name}>
        {label} {optional && <span class="kern-label__optional">– {optional}</span>}
      </label>
      {hint && (
        <div class="kern-hint" id={`${name}-hint`}>
          {hint}
        </div>
      )}
      {children({
        id: name,
        name,
        ...(described ? { "aria-describedby": described } : {}),
        ...(error ? { "aria-invalid": "true" as const } : {}),
      })}
      {error && (
        <p class="kern-error" id={`${name}-error`}>
          <Icon name="danger" />
          <span class="kern-body">{error}</span>
        </p>
      )}
    </div>
  );
}

/** What is asked for here; each is the id of its field. */
export const CONTACT_FIELDS: readonly (keyof Contact)[] = [
  "name",
  "mail",
  "phone",
  "language",
  "interpreter",
  "accessibility",
  "companion_mail",
  "privacy_accepted",
];

type Line = "name" | "mail" | "phone" | "interpreter" | "companion_mail";

export function ContactForm(props: ContactProps) {
  const { t, language, languages, privacyHref, errors, onType, onSend } = props;
  const [before] = useState(props.typed);
  const chosen = before?.language ?? language;
  const wrong = (name: string) => errors.find(({ field }) => field === name)?.detail;
  let form: HTMLFormElement | null = null;
  const [send, sending] = useAction(async () => {
    if (form) await onSend(read(new FormData(form)));
  });
  const line = (
    name: Line,
    type: "text" | "email" | "tel",
    complete: string,
    max: number,
    required = false,
  ) => (
    <Field
      name={name}
      label={t(`book-field-${name}`)}
      {...(required ? {} : { optional: t("form-optional") })}
      {...(name === "mail" || name === "phone" ? { hint: t(`book-${name}-hint`) } : {})}
      error={wrong(name)}
    >
      {(described) => (
        <input
          class="kern-form-input__input"
          // Preact types each kind of field apart; these three take the same attributes.
          type={type as "text"}
          autocomplete={complete as "name"}
          maxLength={max}
          required={required}
          defaultValue={before?.[name] ?? ""}
          {...described}
        />
      )}
    </Field>
  );
  return (
    <form
      class="vz-form"
      noValidate
      ref={(element) => {
        form = element;
      }}
      onInput={(event) => onType(read(new FormData(event.currentTarget)))}
      onSubmit={(event) => {
        event.preventDefault();
        if (!sending) send();
      }}
    >
      {line("name", "text", "name", 80, true)}
      {line("mail", "email", "email", 254, true)}
      {line("phone", "tel", "tel", 40)}
      {languages.length > 1 ? (
        <fieldset class="kern-fieldset" id="language" tabIndex={-1}>
          <legend class="kern-label">{t("form-language")}</legend>
          <div class="kern-fieldset__body kern-fieldset__body--horizontal">
            {languages.map((code) => (
              <div class="kern-form-check" key={code}>
                <input
                  class="kern-form-check__radio"
                  type="radio"
                  name="language"
                  id={`language-${code}`}
                  value={code}
                  defaultChecked={code === chosen}
                />
                <label class="kern-label" for={`language-${code}`}>
                  {t(`form-language-${code}`)}
                </label>
              </div>
            ))}
          </div>
        </fieldset>
      ) : (
        <input type="hidden" name="language" value={chosen} />
      )}
      {line("interpreter", "text", "off", 60)}
      <Field
        name="accessibility"
        label={t("book-field-accessibility")}
        optional={t("form-optional")}
        hint={t("book-accessibility-hint")}
        error={wrong("accessibility")}
      >
        {(described) => (
          <textarea
            class="kern-form-input__input vz-textarea"
            rows={3}
            maxLength={500}
            defaultValue={before?.accessibility ?? ""}
            {...described}
          />
        )}
      </Field>
      {line("companion_mail", "email", "off", 254)}
      <div class={wrong("privacy_accepted") ? "vz-invalid" : undefined}>
        <div class="kern-form-check">
          <input
            class="kern-form-check__checkbox"
            type="checkbox"
            name="privacy_accepted"
            id="privacy_accepted"
            required
            defaultChecked={before?.privacy_accepted ?? false}
            aria-describedby="privacy-hint"
            aria-invalid={wrong("privacy_accepted") ? "true" : undefined}
          />
          <label class="kern-label" for="privacy_accepted">
            {t("form-privacy")}
          </label>
        </div>
        <p class="kern-hint" id="privacy-hint">
          {t("book-privacy-hint")}{" "}
          {privacyHref && (
            <a
              class="kern-link kern-link--no-visited-state"
              href={privacyHref}
              target="_blank"
              rel="noopener"
            >
              {t("form-privacy-link")}
            </a>
          )}
        </p>
      </div>
      <div>
        <Button kind="primary" type="submit" label={t("book-submit")} busy={sending} />
      </div>
    </form>
  );
}

function read(data: FormData): Contact {
  const text = (name: string) => {
    const value = data.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  return {
    name: text("name"),
    mail: text("mail"),
    phone: text("phone"),
    language: text("language") as Language,
    interpreter: text("interpreter"),
    accessibility: text("accessibility"),
    companion_mail: text("companion_mail"),
    privacy_accepted: data.has("privacy_accepted"),
  };
}
