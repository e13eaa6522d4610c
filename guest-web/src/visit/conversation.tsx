import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LiveLine } from "../call/call";
import { Failure, type ViewProps } from "./app";
import { Bring } from "./bring";
import { CallArea } from "./call-area";
import { MEDIA_TYPES, refuseFile } from "./files";
import type { Texts } from "../lib/texts";
import { Log } from "./log";
import { Button, Confirm, Icon, StateHeading, useAction } from "./parts";

/** A message may have so many characters. */
const MESSAGE_LIMIT = 4000;

/** After so long without a key the guest is not typing any more. */
const IDLE_MS = 5_000;

export function Conversation({ tools, state, visit, arrived }: ViewProps) {
  const { t, session } = tools;
  const [asking, setAsking] = useState(false);
  const [leave, leaving, failure] = useAction(() => session.leave());
  const clerk = visit.clerk_name;
  const [lines, setLines] = useState<LiveLine[]>([]);
  return (
    <>
      <StateHeading text={t("visit-conversation-heading")} focus={arrived} />
      {clerk && <p class="kern-body">{t("visit-conversation-with", { clerk })}</p>}
      <div class="vz-talk">
        {tools.calls && <CallArea t={t} session={session} text={t("offer-text")} onLines={setLines} />}
        <div class="vz-talk__chat">
          <ScrolledLog {...{ tools, state }} />
          <LiveText t={t} lines={lines} />
          <p class="kern-body kern-body--small vz-typing" role="status">
            {state.typing && (clerk ? t("visit-typing", { clerk }) : t("visit-typing-somebody"))}
          </p>
          <Composer tools={tools} />
        </div>
      </div>
      {tools.calls && <Bring t={t} bring={(role) => session.bring(role)} href={tools.besideHref} />}
      <Failure t={t} failure={failure} />
      <div class="vz-section">
        <Button
          kind="tertiary"
          icon="logout"
          label={t("visit-finish")}
          busy={leaving}
          onClick={() => setAsking(true)}
        />
      </div>
      <Confirm
        open={asking}
        heading={t("visit-finish-heading")}
        text={t("visit-finish-text")}
        confirm={t("visit-finish")}
        cancel={t("visit-finish-stay")}
        onCancel={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false);
          leave();
        }}
      />
    </>
  );
}

/** What others are writing at this moment, letter by letter. Read out is the message, when it comes: each letter
 * would be too much. */
function LiveText({ t, lines }: { t: Texts; lines: LiveLine[] }) {
  return (
    <>
      {lines.map(({ identity, name, text }) => (
        <div key={identity} class="vz-live-text">
          <p class="vz-message__meta">{t("live-text", { name })}</p>
          <p class="vz-words">{text}</p>
        </div>
      ))}
    </>
  );
}

/** The log in a box that follows the newest message, unless somebody has scrolled back to read. */
function ScrolledLog({ tools: { t, session }, state }: Pick<ViewProps, "tools" | "state">) {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const newest = state.log.at(-1)?.clientId ?? state.log.at(-1)?.id;
  const follow = () => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  // A new last message is what to scroll for.
  useLayoutEffect(follow, [newest, state.log.length]);
  // So is a picture that comes later than its message, and a box that shrinks when the keyboard comes up.
  useLayoutEffect(() => {
    const watcher = new ResizeObserver(follow);
    for (const part of [box.current, content.current]) if (part) watcher.observe(part);
    return () => watcher.disconnect();
  }, []);
  return (
    <div
      class="vz-log-box"
      ref={box}
      role="log"
      // Delivery changes inside a message are not read out; a new message is.
      aria-relevant="additions"
      aria-label={t("visit-log")}
      // Keys must be able to scroll it.
      tabIndex={0}
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        atEnd.current = scrollHeight - clientHeight - scrollTop < 48;
      }}
    >
      <div ref={content}>
        {state.log.length === 0 ? (
          <p class="kern-body kern-body--muted">{t("visit-log-empty")}</p>
        ) : (
          <Log t={t} log={state.log} onRetry={(entry) => session.retry(entry)} />
        )}
      </div>
    </div>
  );
}

function Composer({ tools: { t, session } }: Pick<ViewProps, "tools">) {
  const text = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const idle = useRef<number | undefined>(undefined);
  const [refused, setRefused] = useState<string>();
  useEffect(() => () => window.clearTimeout(idle.current), []);

  const typed = () => {
    window.clearTimeout(idle.current);
    session.onDraft?.(text.current?.value ?? "");
    const writing = text.current?.value.trim() !== "";
    session.type(writing);
    if (writing) idle.current = window.setTimeout(() => session.type(false), IDLE_MS);
  };
  const send = () => {
    const body = text.current?.value.trim() ?? "";
    if (!text.current || body === "") return;
    window.clearTimeout(idle.current);
    session.say(body);
    session.onDraft?.("");
    text.current.value = "";
    text.current.focus();
  };
  const attach = (chosen: File) => {
    const reason = refuseFile(chosen);
    setRefused(reason && t(reason, { name: chosen.name }));
    if (!reason) session.sendFile(chosen);
  };

  return (
    <form
      class="vz-composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="kern-form-input">
        <label class="kern-label" for="message">
          {t("visit-compose")}
        </label>
        <div class="kern-hint" id="message-hint">
          {t("visit-compose-hint")}
        </div>
        <textarea
          class="kern-form-input__input vz-textarea vz-textarea--short"
          id="message"
          ref={text}
          rows={2}
          maxLength={MESSAGE_LIMIT}
          aria-describedby="message-hint"
          enterkeyhint="send"
          onInput={typed}
          onKeyDown={(event) => {
            // While a syllable is being composed, Enter belongs to the input method.
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
      </div>
      <div role="alert">
        {refused && (
          <p class="kern-error">
            <Icon name="danger" />
            <span class="kern-body">{refused}</span>
          </p>
        )}
      </div>
      <div class="vz-composer__actions">
        <Button kind="primary" icon="send" label={t("visit-send")} type="submit" />
        <Button
          kind="secondary"
          icon="attach"
          label={t("visit-attach")}
          onClick={() => file.current?.click()}
        />
        <input
          ref={file}
          type="file"
          hidden
          accept={MEDIA_TYPES.join(",")}
          aria-label={t("visit-attach")}
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            if (chosen) attach(chosen);
            event.currentTarget.value = "";
          }}
        />
        <span class="kern-body kern-body--small kern-body--muted">{t("visit-attach-hint")}</span>
      </div>
    </form>
  );
}
