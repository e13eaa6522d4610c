// Choosing day and time: a grid of days (the ARIA grid pattern), or all times as one list.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Slot, Slots } from "../api/types";
import type { Texts } from "../lib/texts";
import { Button, Icon } from "../visit/parts";
import { byDay, DayNames, step, weeks } from "./days";

interface PickerProps {
  t: Texts;
  language: string;
  offer: Slots;
  onChoose: (slot: Slot) => void;
}

export function Picker({ t, language, offer, onChoose }: PickerProps) {
  const days = byDay(offer.slots);
  const names = new DayNames(language);
  const [asList, setAsList] = useState(false);
  const [chosen, setChosen] = useState<string | undefined>();
  const first = offer.slots[0]?.date;
  if (!first)
    return (
      <p class="kern-body vz-note" role="status">
        {t("book-none")}
      </p>
    );
  return (
    <div class="vz-picker">
      <Button
        kind="tertiary"
        icon={asList ? "calendar-today" : "draft"}
        label={t(asList ? "book-as-calendar" : "book-as-list")}
        onClick={() => setAsList(!asList)}
      />
      {asList ? (
        <div class="vz-days">
          {[...days].map(([day, slots], index) => (
            <details class="kern-accordion" key={day} open={index === 0}>
              <summary class="kern-accordion__header">
                <span class="kern-title">{names.day(day)}</span>
                <span class="kern-body kern-body--small">{t("book-day-free", { count: slots.length })}</span>
              </summary>
              <div class="kern-accordion__body">
                <TimeList t={t} day={names.day(day)} slots={slots} onChoose={onChoose} />
              </div>
            </details>
          ))}
        </div>
      ) : (
        <div class="vz-picker__day">
          <Grid t={t} names={names} offer={offer} days={days} chosen={chosen ?? first} onDay={setChosen} />
          <Times
            t={t}
            day={names.day(chosen ?? first)}
            slots={days.get(chosen ?? first) ?? []}
            onChoose={onChoose}
          />
        </div>
      )}
    </div>
  );
}

interface TimesProps {
  t: Texts;
  /** As it is said. */
  day: string;
  slots: readonly Slot[];
  onChoose: (slot: Slot) => void;
}

/** The times of the day that is chosen in the grid. */
function Times(props: TimesProps) {
  const { t, day, slots } = props;
  return (
    <section class="vz-times" aria-label={t("book-times", { day })}>
      <h2 class="kern-title kern-title--small" aria-live="polite">
        {day}
      </h2>
      {slots.length === 0 && <p class="kern-body">{t("book-day-none")}</p>}
      <TimeList {...props} />
    </section>
  );
}

function TimeList({ t, day, slots, onChoose }: TimesProps) {
  // On the night the clocks go back a time comes twice: its distance from UTC tells which it is.
  const twice = new Set(slots.map((slot) => slot.time)).size < slots.length;
  return (
    <ul class="vz-times__list vz-times__list--even">
      {slots.map((slot) => {
        const label = t("book-time", { time: slot.time }) + (twice ? ` (UTC${slot.offset})` : "");
        return (
          <li key={slot.start}>
            <button
              type="button"
              class="kern-btn kern-btn--secondary"
              // Not as hidden text: KERN makes a button with that as narrow as an icon.
              aria-label={`${label}, ${day}`}
              onClick={() => onChoose(slot)}
            >
              <span class="kern-label">{label}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

interface GridProps {
  t: Texts;
  names: DayNames;
  offer: Slots;
  days: ReadonlyMap<string, readonly Slot[]>;
  chosen: string;
  onDay: (day: string) => void;
}

function Grid({ t, names, offer, days, chosen, onDay }: GridProps) {
  // The one day that Tab leads to; arrow keys move it.
  const [current, setCurrent] = useState(chosen);
  const table = useRef<HTMLTableElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) table.current?.querySelector<HTMLElement>(`[data-day="${current}"]`)?.focus();
    moved.current = false;
  }, [current]);

  const within = (day: string) =>
    day < offer.today ? offer.today : day > offer.last_day ? offer.last_day : day;
  const go = (day: string, focus: boolean) => {
    moved.current = focus;
    setCurrent(within(day));
  };
  const month = current.slice(0, 7);
  const turn = (key: "PageUp" | "PageDown") => go(step(key, current) ?? current, false);

  return (
    <div class="vz-calendar">
      <div class="vz-calendar__head">
        <button
          type="button"
          class="kern-btn kern-btn--tertiary"
          aria-disabled={month <= offer.today.slice(0, 7)}
          onClick={() => turn("PageUp")}
        >
          <Icon name="arrow-back" />
          <span class="kern-label kern-sr-only">{t("book-month-before")}</span>
        </button>
        <h2 class="kern-title" id="month" aria-live="polite">
          {names.monthOf(current)}
        </h2>
        <button
          type="button"
          class="kern-btn kern-btn--tertiary"
          aria-disabled={month >= offer.last_day.slice(0, 7)}
          onClick={() => turn("PageDown")}
        >
          <Icon name="arrow-forward" />
          <span class="kern-label kern-sr-only">{t("book-month-after")}</span>
        </button>
      </div>
      <table class="vz-calendar__grid" role="grid" aria-labelledby="month" ref={table}>
        <thead>
          <tr>
            {names.weekdays().map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks(current).map((week, row) => (
            <tr key={row}>
              {week.map((day, column) =>
                day ? (
                  <td key={day} role="gridcell" aria-selected={day === chosen}>
                    <button
                      type="button"
                      data-day={day}
                      class={days.has(day) ? "vz-day vz-day--free" : "vz-day"}
                      tabIndex={day === current ? 0 : -1}
                      aria-disabled={!days.has(day)}
                      aria-label={`${names.day(day)}, ${t("book-day-free", { count: days.get(day)?.length ?? 0 })}`}
                      onClick={() => {
                        go(day, false);
                        if (days.has(day)) onDay(day);
                      }}
                      onKeyDown={(event) => {
                        const next = step(event.key, day);
                        if (!next) return;
                        event.preventDefault();
                        go(next, true);
                      }}
                    >
                      {Number(day.slice(8))}
                    </button>
                  </td>
                ) : (
                  <td key={column} />
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="kern-body kern-body--small kern-body--muted vz-calendar__hint">{t("book-grid-hint")}</p>
    </div>
  );
}
