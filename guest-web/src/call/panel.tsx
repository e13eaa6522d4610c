// The call in the conversation: people, what they show, controls.

import "./call.scss";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { Refused } from "../api/client";
import type { Texts } from "../lib/texts";
import { Alert, Button } from "../visit/parts";
import { Call, type CallSession, type CallState, type LiveLine, type Phase } from "./call";
import { Controls } from "./controls";
import type { Mode } from "./devices";
import { after, BACK_FOR_MS, type Interruption } from "./interruption";
import { Sharing } from "./sharing";
import { StageView } from "./stage-view";

export interface PanelProps {
  t: Texts;
  session: CallSession;
  mode: Mode;
  /** Whether the panel has come by something the guest did, so that it takes the focus. */
  focus: boolean;
  /** The guest has hung up. */
  onEnd: () => void;
  onLines: (lines: LiveLine[]) => void;
}

export function Panel(props: PanelProps) {
  const { t, session, focus, onEnd } = props;
  const call = useCall(props);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) heading.current?.focus();
  }, [focus]);
  const hangUp = () => {
    call?.close();
    // The house notices by itself if this does not arrive.
    void session.hangUp().catch(() => undefined);
    onEnd();
  };
  const state = call?.state;
  return (
    <section class="vz-call" aria-labelledby="call-heading">
      <h2 class="kern-sr-only" id="call-heading" tabIndex={-1} ref={heading}>
        {t("call-heading")}
      </h2>
      <Status t={t} state={state} />
      {state?.phase === "failed" && call && (
        <Setback
          t={t}
          title={t("call-failed")}
          text={reason(state.failure) ?? t("call-failed-text")}
          again={t("call-retry")}
          {...{ call, hangUp }}
        />
      )}
      {state?.phase === "elsewhere" && call && (
        <Setback
          t={t}
          title={t("call-elsewhere")}
          text={t("call-elsewhere-text")}
          again={t("call-here")}
          {...{ call, hangUp }}
        />
      )}
      {call && state && state.phase !== "failed" && state.phase !== "elsewhere" && (
        <>
          {state.soundBlocked && (
            <div class="vz-call__note" role="alert">
              <p class="kern-body">{t("call-sound-blocked")}</p>
              <Button kind="primary" label={t("call-sound-play")} onClick={() => void call.playSound()} />
            </div>
          )}
          {state.thrift.saving && <Saving t={t} call={call} state={state} />}
          <Sharing t={t} call={call} />
          <StageView t={t} call={call} state={state} />
          <Controls t={t} call={call} state={state} onHangUp={hangUp} />
        </>
      )}
    </section>
  );
}

/** What the house says to it, which is meant for citizens. */
function reason(failure: unknown): string | undefined {
  return failure instanceof Refused ? failure.problem.detail : undefined;
}

/** Loads what speaks to relays, and joins with it. */
function useCall({ session, mode, onEnd, onLines }: PanelProps): Call | undefined {
  const [call, setCall] = useState<Call>();
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const wanted = useRef(mode);
  useEffect(() => {
    let gone = false;
    let joined: Call | undefined;
    void import("livekit-client").then(
      (livekit) => {
        if (gone) return;
        joined = new Call(livekit, session, { changed: () => redraw(undefined), lines: onLines });
        setCall(joined);
        void joined.start(wanted.current);
      },
      () => !gone && onEnd(),
    );
    return () => {
      gone = true;
      joined?.close();
    };
    // One call for as long as the panel is there.
  }, []);
  return call;
}

/** One sentence that says where the call stands; read out whenever it changes. */
function Status({ t, state }: { t: Texts; state: CallState | undefined }) {
  const phase = state?.phase ?? "joining";
  const back = useInterruption(phase) === "over";
  const names = state?.stage.others.filter((tile) => tile.here).map((tile) => tile.name) ?? [];
  const said = () => {
    switch (phase) {
      case "joining":
        return t("call-joining");
      case "lost":
        return t("call-lost");
      case "live":
        return state?.stage.clerkHere ? t("call-together", { names: names.join(", ") }) : t("call-alone");
      case "failed":
      case "elsewhere":
        return "";
    }
  };
  return (
    <div class="vz-call__status">
      {/* By itself, so that neither is read out again when the other changes. */}
      <div role="status">{back && <p class="kern-body">{t("call-back")}</p>}</div>
      <div role="status">
        {phase === "lost" ? <Alert kind="warning" title={said()} /> : <p class="kern-body">{said()}</p>}
      </div>
    </div>
  );
}

function useInterruption(phase: Phase): Interruption {
  const [interruption, setInterruption] = useState<Interruption>("none");
  useEffect(() => setInterruption((before) => after(before, phase)), [phase]);
  useEffect(() => {
    if (interruption !== "over") return;
    const timer = window.setTimeout(() => setInterruption("none"), BACK_FOR_MS);
    return () => window.clearTimeout(timer);
  }, [interruption]);
  return interruption;
}

interface SetbackProps {
  t: Texts;
  title: string;
  text: string;
  again: string;
  call: Call;
  hangUp: () => void;
}

function Setback({ t, title, text, again, call, hangUp }: SetbackProps) {
  return (
    <div role="alert">
      <Alert kind="info" title={title}>
        <p class="kern-body">{text}</p>
        <div class="vz-actions">
          <Button kind="primary" label={again} onClick={() => call.retry()} />
          <Button kind="secondary" label={t("call-without")} onClick={hangUp} />
        </div>
      </Alert>
    </div>
  );
}

/** Says why there are no pictures, and how they come back. */
function Saving({ t, call, state }: { t: Texts; call: Call; state: CallState }) {
  return (
    <div class="vz-call__note" role="status">
      <p class="kern-body">
        <strong>{t("saving-on")}</strong> {state.thrift.automatic && t("saving-why")}
      </p>
      <Button kind="secondary" icon="camera" label={t("saving-end")} onClick={() => call.setSaving(false)} />
    </div>
  );
}
