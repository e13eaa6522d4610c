import type { Texts } from "../lib/texts";
import { locale, pageLanguage } from "../lib/texts";
import { fileSize } from "./files";
import type { Entry } from "./messages";
import { Button, Icon } from "./parts";

interface LogProps {
  t: Texts;
  log: readonly Entry[];
  onRetry: (entry: Entry) => void;
}

/** The messages of a conversation, in order. */
export function Log({ t, log, onRetry }: LogProps) {
  return (
    <ol class="vz-log">
      {log.map((entry) => (
        <LogEntry key={entry.clientId ?? entry.id} t={t} entry={entry} onRetry={onRetry} />
      ))}
    </ol>
  );
}

function LogEntry({ t, entry, onRetry }: { t: Texts; entry: Entry; onRetry: (entry: Entry) => void }) {
  const own = entry.author === "guest";
  return (
    <li class={`vz-message vz-message--${entry.author}`}>
      <p class="vz-message__meta">
        <span class="vz-message__author">{author(t, entry)}</span>{" "}
        <time dateTime={entry.sentAt}>{time(entry.sentAt)}</time>
      </p>
      {entry.body && <p class="vz-words">{entry.body}</p>}
      <Attachment t={t} entry={entry} />
      {own && (
        <p class="vz-message__delivery">
          <Icon name={SIGNS[entry.delivery]} size="small" />
          {t(`visit-delivery-${entry.delivery}`)}
        </p>
      )}
      {own && entry.delivery === "failed" && (
        <Button
          kind="secondary"
          icon="autorenew"
          label={t("visit-message-retry")}
          onClick={() => onRetry(entry)}
        />
      )}
    </li>
  );
}

const SIGNS: Record<Entry["delivery"], string> = {
  sending: "clock",
  delivered: "check",
  failed: "danger",
};

function Attachment({ t, entry }: { t: Texts; entry: Entry }) {
  const { file, upload } = entry;
  if (upload) return <p class="vz-words">{t("visit-file-sending", { name: upload.name })}</p>;
  if (!file) return null;
  const label = t("visit-file-download", {
    name: file.name,
    size: fileSize(t, file.size),
  });
  return (
    <>
      {file.media_type.startsWith("image/") && (
        <img
          class="vz-message__image"
          src={file.url}
          alt={t("visit-file-image", { name: file.name })}
          loading="lazy"
        />
      )}
      <a class="kern-link kern-link--no-visited-state vz-message__file" href={file.url} download={file.name}>
        <Icon name="download" />
        {label}
      </a>
    </>
  );
}

function author(t: Texts, entry: Entry): string {
  switch (entry.author) {
    case "guest":
      return t("visit-author-you");
    case "office":
      return t("visit-author-office");
    case "participant":
      return entry.authorName ?? t("visit-author-participant");
  }
}

/** The time of day where the guest is. */
function time(sentAt: string): string {
  return new Intl.DateTimeFormat(locale(pageLanguage()), {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(sentAt));
}
