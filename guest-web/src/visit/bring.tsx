// The citizen brings somebody in: a link each, to pass on.

import { useState } from "preact/hooks";
import type { ParticipantRole } from "../api/types";
import type { Texts } from "../lib/texts";
import { Failure } from "./app";
import { Button, useAction } from "./parts";

interface BringProps {
  t: Texts;
  /** Makes a link's secret. */
  bring: (role: ParticipantRole) => Promise<string>;
  /** Where links lead. */
  href: string;
}

interface Made {
  role: ParticipantRole;
  href: string;
}

export function Bring({ t, bring, href }: BringProps) {
  // The server knows no link again: they are here until the page is left.
  const [made, setMade] = useState<Made[]>([]);
  const [copied, setCopied] = useState<string>();
  const make = async (role: ParticipantRole) => {
    const link = `${new URL(href, location.href).href}#${await bring(role)}`;
    setMade((links) => [...links, { role, href: link }]);
  };
  const [interpreter, makingInterpreter, refusedInterpreter] = useAction(() => make("interpreter"));
  const [companion, makingCompanion, refusedCompanion] = useAction(() => make("companion"));
  const copy = async (link: string) => {
    await navigator.clipboard.writeText(link);
    setCopied(link);
  };
  return (
    <details class="vz-check" id="bring">
      <summary class="vz-check__summary">{t("bring-heading")}</summary>
      <p class="kern-body">{t("bring-text")}</p>
      <div class="vz-actions">
        <Button
          kind="secondary"
          label={t("bring-interpreter")}
          busy={makingInterpreter}
          onClick={interpreter}
        />
        <Button kind="secondary" label={t("bring-companion")} busy={makingCompanion} onClick={companion} />
      </div>
      <Failure t={t} failure={refusedInterpreter ?? refusedCompanion} />
      <div role="status">
        {made.map((link, index) => (
          <div class="kern-form-input" key={link.href}>
            <label class="kern-label" for={`bring-${index}`}>
              {t(`bring-link-${link.role}`)}
            </label>
            <input class="kern-form-input__input" id={`bring-${index}`} readOnly value={link.href} />
            <div class="vz-actions">
              {"clipboard" in navigator && (
                <Button kind="tertiary" label={t("bring-copy")} onClick={() => void copy(link.href)} />
              )}
              {"share" in navigator && (
                <Button
                  kind="tertiary"
                  label={t("bring-share")}
                  // Whoever thinks better of it has shared nothing.
                  onClick={() => void navigator.share({ url: link.href }).catch(() => undefined)}
                />
              )}
            </div>
            {copied === link.href && <p class="kern-body">{t("bring-copied")}</p>}
          </div>
        ))}
      </div>
    </details>
  );
}
