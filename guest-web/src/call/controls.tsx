// The call's controls: large, each with a word for its state.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Icon } from "../visit/parts";
import type { BackgroundState } from "./background";
import type { Call, CallState } from "./call";
import { type Kind, unusable } from "./devices";
import { Settings } from "./settings";
import { ShowMenu } from "./show-menu";

interface Props {
  t: Texts;
  call: Call;
  state: CallState;
  onHangUp: () => void;
}

type Open = "show" | "more" | undefined;

export function Controls({ t, call, state, onHangUp }: Props) {
  const { own } = call;
  const [open, setOpen] = useState<Open>();
  const [said, setSaid] = useState("");
  const toggle = async (kind: Kind) => {
    const on = kind === "microphone" ? !own.microphoneOn : !own.cameraOn;
    if (kind === "microphone") await own.setMicrophone(on);
    else {
      if (on && state.thrift.saving) call.setSaving(false);
      await own.setCamera(on);
    }
    setSaid(switched(t, kind, own, on));
  };
  useKeys({ KeyM: () => void toggle("microphone"), KeyK: () => void toggle("camera"), KeyA: onHangUp });
  const flip = (which: Open) => setOpen(open === which ? undefined : which);
  return (
    <>
      <div class="vz-controls" role="group" aria-label={t("call-controls")}>
        <Toggle
          {...{ t, label: t("call-microphone"), on: own.microphoneOn, keys: "Alt+M" }}
          icon={own.microphoneOn ? "mic" : "mic-off"}
          onClick={() => void toggle("microphone")}
        />
        <Toggle
          {...{ t, label: t("call-camera"), on: own.cameraOn, keys: "Alt+K" }}
          icon={own.cameraOn ? "camera" : "camera-off"}
          onClick={() => void toggle("camera")}
        />
        <Opener
          {...{ label: t("call-show"), icon: "screen", controls: "call-show", open: open === "show" }}
          onClick={() => flip("show")}
        />
        <Opener
          {...{ label: t("call-more"), icon: "more", controls: "call-more", open: open === "more" }}
          onClick={() => flip("more")}
        />
        <button type="button" class="vz-control vz-control--end" aria-keyshortcuts="Alt+A" onClick={onHangUp}>
          <Icon name="hang-up" />
          <span>{t("call-hang-up")}</span>
        </button>
      </div>
      <p class="kern-sr-only" role="status">
        {said}
      </p>
      <Troubles t={t} call={call} />
      <BackgroundNews t={t} state={own.background.state} />
      {open === "show" && <ShowMenu {...{ t, call }} onDone={() => setOpen(undefined)} />}
      {open === "more" && <Settings {...{ t, call, state }} />}
    </>
  );
}

/** What has become of switching a device on or off. Why a camera waits for its background is said elsewhere. */
export function switched(t: Texts, kind: Kind, own: Switched, on: boolean): string {
  const works = (kind === "microphone" ? own.microphoneOn : own.cameraOn) === on;
  if (works) return t(`call-${kind}-is-${on ? "on" : "off"}`);
  return unusable(own.check[kind]) ? t(`check-${kind}-${own.check[kind]}`) : "";
}

type Switched = Pick<Call["own"], "microphoneOn" | "cameraOn" | "check">;

interface ToggleProps {
  t: Texts;
  label: string;
  icon: string;
  on: boolean;
  keys: string;
  onClick: () => void;
}

/** Its name stays, its state changes; the word below is for eyes, `aria-pressed` for ears. */
function Toggle({ t, label, icon, on, keys, onClick }: ToggleProps) {
  return (
    <button
      type="button"
      class={`vz-control${on ? "" : " vz-control--off"}`}
      aria-pressed={on}
      aria-keyshortcuts={keys}
      onClick={onClick}
    >
      <Icon name={icon} />
      <span>
        {label}
        <span aria-hidden="true"> {t(on ? "call-on" : "call-off")}</span>
      </span>
    </button>
  );
}

interface OpenerProps {
  label: string;
  icon: string;
  controls: string;
  open: boolean;
  onClick: () => void;
}

function Opener({ label, icon, controls, open, onClick }: OpenerProps) {
  return (
    <button
      type="button"
      class="vz-control"
      aria-expanded={open}
      {...(open && { "aria-controls": controls })}
      onClick={onClick}
    >
      <Icon name={open ? "close" : icon} />
      <span>{label}</span>
    </button>
  );
}

/** Which device does not work, and what helps. */
function Troubles({ t, call }: { t: Texts; call: Call }) {
  const { check } = call.own;
  const kinds = (["microphone", "camera"] as const).filter((kind) => unusable(check[kind]));
  return (
    <div role="status">
      {kinds.map((kind) => (
        <p key={kind} class="kern-body vz-call__trouble">
          <Icon name="warning" size="small" />
          <span>
            <strong>{t(`check-${kind}-${check[kind]}`)}</strong> {t(`check-${check[kind]}-help`)}
          </span>
        </p>
      ))}
    </div>
  );
}

/** What has become of the background. What one sees anyway is for ears alone. */
function BackgroundNews({ t, state }: { t: Texts; state: BackgroundState }) {
  const shown = state === "loading" || state === "failed" || state === "hidden";
  return (
    <p class={shown ? "kern-body" : "kern-sr-only"} role="status">
      {state !== "quiet" && t(`blur-${state}`)}
    </p>
  );
}

/** Whether Alt makes the key write something else than its letter, as on a Mac: in a text that is what it is for. */
export function types({ code, key }: Pick<KeyboardEvent, "code" | "key">): boolean {
  return `Key${key.toUpperCase()}` !== code;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea"));
}

/** Alt and a letter, by the place of the key: on some keyboards Alt makes another letter of it. */
function useKeys(keys: Record<string, () => void>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat) return;
      const act = latest.current[event.code];
      if (!act || (isField(event.target) && types(event))) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
