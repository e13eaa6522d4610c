import type { Slot } from "../api/types";
import type { Texts } from "../lib/texts";
import { Button } from "../visit/parts";
import { DayNames } from "./days";
import { apart, timeSaid } from "./twice";

interface AlternativesProps {
  t: Texts;
  language: string;
  slots: readonly Slot[] | undefined;
  /** All that are free, as far as they are known. */
  among?: readonly Slot[];
  /** What is done with the one that is chosen; without it they are only told. */
  onChoose?: (slot: Slot) => void;
}

/** The nearest times that can be had instead of the one that was lost. */
export function Alternatives({ t, language, slots, among, onChoose }: AlternativesProps) {
  if (!slots || slots.length === 0) return null;
  const which = apart([...slots, ...(among ?? [])]);
  const names = new DayNames(language);
  return (
    <section class="vz-times" aria-label={t("book-alternatives")}>
      <h2 class="kern-title">{t("book-alternatives")}</h2>
      <ul class="vz-times__list">
        {slots.map((slot) => {
          const label = `${names.day(slot.date)}, ${timeSaid(t, slot.time, which(slot.start))}`;
          return (
            <li key={slot.start}>
              {onChoose ? (
                <Button kind="secondary" label={label} onClick={() => onChoose(slot)} />
              ) : (
                <span class="kern-body">{label}</span>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
