import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../api/client";
import type { Visit } from "../api/types";
import type { Texts } from "../lib/texts";
import type { Awake, Chime } from "./attention";
import { Called } from "./called";
import { Conversation } from "./conversation";
import { Ended } from "./ended";
import { Alert, StateHeading } from "./parts";
import type { Session, SessionState } from "./session";
import { Waiting } from "./waiting";

/** Everything the views need besides the state. */
export interface Tools {
  t: Texts;
  session: Session;
  chime: Chime;
  awake: Awake;
  /** Whether conversations have a video call. */
  calls: boolean;
  /** Addresses, in the page's language. */
  lobbyHref: string;
  officeHref: string;
  besideHref: string;
}

/** What a view of one state gets. */
export interface ViewProps {
  tools: Tools;
  state: SessionState;
  visit: Visit;
  /** Whether the view has just replaced another one, so that its heading takes the focus. */
  arrived: boolean;
}

/** Silence shorter than this is not worth a word. */
const OFFLINE_AFTER_MS = 3_000;

export function App({ tools, state }: { tools: Tools; state: SessionState }) {
  const { visit } = state;
  const arrived = useArrived(visit?.state);
  if (state.missing) return <Missing tools={tools} elsewhere={state.elsewhere} />;
  if (!visit) return <Connection t={tools.t} connected={state.connected} />;
  const props: ViewProps = { tools, state, visit, arrived };
  return (
    <>
      {visit.state !== "ended" && <Connection t={tools.t} connected={state.connected} />}
      <p class="kern-body vz-visit__office">{visit.office_name}</p>
      {visit.state === "waiting" && <Waiting key="waiting" {...props} />}
      {visit.state === "called" && <Called key="called" {...props} />}
      {visit.state === "in_conversation" && <Conversation key="conversation" {...props} />}
      {visit.state === "ended" && <Ended key="ended" {...props} />}
    </>
  );
}

/** Whether the visit has come into its state while this page showed it. */
function useArrived(state: string | undefined): boolean {
  const first = useRef<string | undefined>(undefined);
  first.current ??= state;
  const moved = useRef(false);
  if (first.current !== state) moved.current = true;
  return moved.current;
}

/** Says when the connection is gone, and when it is back. */
function Connection({ t, connected }: { t: Texts; connected: boolean }) {
  const [offline, setOffline] = useState(false);
  const [wasOffline, setWasOffline] = useState(false);
  useEffect(() => {
    if (connected) {
      setOffline(false);
      return;
    }
    const timer = window.setTimeout(() => {
      setOffline(true);
      setWasOffline(true);
    }, OFFLINE_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, [connected]);
  return (
    <div role="status" class="vz-connection">
      {offline && <Alert kind="warning" title={t("visit-offline")} />}
      {!offline && wasOffline && <span class="kern-sr-only">{t("visit-online-again")}</span>}
    </div>
  );
}

function Missing({ tools: { t, lobbyHref }, elsewhere }: { tools: Tools; elsewhere: boolean }) {
  const key = elsewhere ? "visit-elsewhere" : "visit-unknown";
  return (
    <>
      <StateHeading text={t(`${key}-heading`)} focus={elsewhere} />
      <p class="kern-body">{t(key)}</p>
      <p>
        <a class="kern-btn kern-btn--primary" href={lobbyHref}>
          <span class="kern-label">{t("visit-to-lobby")}</span>
        </a>
      </p>
    </>
  );
}

/** What went wrong with something the guest did. */
export function Failure({ t, failure }: { t: Texts; failure: unknown }) {
  if (failure === undefined) return null;
  const reason =
    failure instanceof Refused && failure.problem.detail ? failure.problem.detail : t("visit-failed-network");
  return (
    <div role="alert">
      <Alert kind="danger" title={t("visit-failed", { reason })} />
    </div>
  );
}
