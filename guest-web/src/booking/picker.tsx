// Choosing day and time: a grid of days (the ARIA grid pattern), or all times as one list.

import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../api/client";
import type { Slot } from "../api/types";
import type { Texts } from "../lib/texts";
import { Button, Icon, useSingly } from "../visit/parts";
import { byDay, DayNames, step, weeks } from "./days";
import { type Ask, type Free, further, isWhole, knowsDay, knowsMonth, onward } from "./free";
import { apart, timeSaid } from "./twice";

interface PickerProps {
  t: Texts;
  language: string;
  /** What is known to be free. */
  found: Free;
  /** Asks for more. */
  ask: Ask;
  onChoose: (slot: Slot) => void;
}

export function Picker({ t, language, found, ask, onChoose }: PickerProps) {
  const more = useMore(found, ask);
  const days = byDay(more.free.slots);
  const names = new DayNames(language);
  const [asList, setAsList] = useState(false);
  const [chosen, setChosen] = useState<string | undefined>();
  const first = more.free.slots[0]?.date;
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
        <List {...{ t, names, more, days, onChoose }} />
      ) : (
        <div class="vz-picker__day">
          <Grid {...{ t, names, more, days }} chosen={chosen ?? first} onDay={setChosen} />
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

/** What is known to be free, and what is being done to know more. */
interface More {
  free: Free;
  busy: boolean;
  /** Why more cannot be told. */
  failure: unknown;
  load: (step: typeof further) => void;
}

function useMore(found: Free, ask: Ask): More {
  const [busy, setBusy] = useState(false);
  // What was added to something older does not count.
  const [added, setAdded] = useState<{ to: Free; free: Free; failure?: unknown }>();
  const { free, failure } = added?.to === found ? added : { free: found, failure: undefined };
  const singly = useSingly();
  const load = (step: typeof further) =>
    void singly.run(async () => {
      setBusy(true);
      try {
        setAdded({ to: found, free: await step(free, ask) });
      } catch (failure) {
        setAdded({ to: found, free, failure });
      }
      setBusy(false);
    });
  return { free, busy, failure, load };
}

/** What is said while more is asked for, or when that has failed. */
function news(t: Texts, { busy, failure }: More): string | undefined {
  if (busy) return t("book-loading");
  if (failure === undefined) return undefined;
  return (failure instanceof Refused && failure.problem.detail) || t("form-network");
}

interface ListProps {
  t: Texts;
  names: DayNames;
  more: More;
  days: ReadonlyMap<string, readonly Slot[]>;
  onChoose: (slot: Slot) => void;
}

/** Every day with free times, to be opened. */
function List({ t, names, more, days, onChoose }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLParagraphElement>(null);
  /** As many days there were before more were asked for. */
  const before = useRef<number | undefined>(undefined);
  const { free, busy, failure } = more;
  useEffect(() => {
    if (busy || before.current === undefined) return;
    // The button may be gone, and what is new stands above it.
    const fresh = list.current?.querySelectorAll("summary")[before.current];
    if (failure === undefined) (fresh ?? end.current)?.focus();
    before.current = undefined;
  }, [busy]);
  return (
    <>
      <div class="vz-days" ref={list}>
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
      <p class="kern-body kern-body--small" role="status" tabIndex={-1} ref={end}>
        {news(t, more) ?? (isWhole(free) && t("book-no-more-days"))}
      </p>
      {!isWhole(free) && (
        <Button
          kind="secondary"
          label={t("book-more-days")}
          busy={busy}
          onClick={() => {
            before.current = days.size;
            more.load(onward);
          }}
        />
      )}
    </>
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
  const which = apart(slots);
  return (
    <ul class="vz-times__list vz-times__list--even">
      {slots.map((slot) => {
        const label = timeSaid(t, slot.time, which(slot.start));
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
  more: More;
  days: ReadonlyMap<string, readonly Slot[]>;
  chosen: string;
  onDay: (day: string) => void;
}

function Grid({ t, names, more, days, chosen, onDay }: GridProps) {
  const { free, busy, failure } = more;
  // The one day that Tab leads to; arrow keys move it.
  const [current, setCurrent] = useState(chosen);
  const table = useRef<HTMLTableElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) table.current?.querySelector<HTMLElement>(`[data-day="${current}"]`)?.focus();
    moved.current = false;
  }, [current]);

  const known = knowsMonth(free, current);
  useEffect(() => {
    if (!known && !busy && failure === undefined) more.load(further);
  }, [known, free, busy, failure]);

  const within = (day: string) => (day < free.today ? free.today : day > free.lastDay ? free.lastDay : day);
  const go = (day: string, focus: boolean) => {
    moved.current = focus;
    setCurrent(within(day));
  };
  const month = current.slice(0, 7);
  const turn = (key: "PageUp" | "PageDown") => go(step(key, current) ?? current, false);
  const count = [...days.keys()].filter((day) => day.startsWith(month)).length;
  const freeOn = (day: string) =>
    knowsDay(free, day) ? t("book-day-free", { count: days.get(day)?.length ?? 0 }) : t("book-day-unknown");

  return (
    <div class="vz-calendar">
      <div class="vz-calendar__head">
        <button
          type="button"
          class="kern-btn kern-btn--tertiary"
          aria-disabled={month <= free.today.slice(0, 7)}
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
          aria-disabled={month >= free.lastDay.slice(0, 7)}
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
                      aria-label={`${names.day(day)}, ${freeOn(day)}`}
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
      <p class="kern-body kern-body--small" role="status">
        {known ? t("book-month-free", { count }) : news(t, more)}
      </p>
      {!known && failure !== undefined && !busy && (
        <Button
          kind="secondary"
          label={t("book-load-again")}
          onClick={() => {
            table.current?.querySelector<HTMLElement>(`[data-day="${current}"]`)?.focus();
            more.load(further);
          }}
        />
      )}
      <p class="kern-body kern-body--small kern-body--muted vz-calendar__hint">{t("book-grid-hint")}</p>
    </div>
  );
}
