// Small parts that the visit's views share; KERN's markup.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Singly } from "../lib/singly";

export function Icon({ name, size }: { name: string; size?: "small" | "large" }) {
  const classes = `kern-icon kern-icon--${name}${size ? ` kern-icon--${size}` : ""}`;
  return <span class={classes} aria-hidden="true" />;
}

interface ButtonProps {
  kind: "primary" | "secondary" | "tertiary";
  icon?: string;
  label: string;
  onClick?: () => void;
  type?: "button" | "submit";
  busy?: boolean;
  large?: boolean;
}

export function Button({ kind, icon, label, onClick, type, busy, large }: ButtonProps) {
  return (
    <button
      type={type ?? "button"}
      class={`kern-btn kern-btn--${kind}${large ? " vz-large" : ""}`}
      aria-disabled={busy ?? false}
      onClick={() => !busy && onClick?.()}
    >
      {icon && <Icon name={icon} />}
      <span class="kern-label">{label}</span>
    </button>
  );
}

interface AlertProps {
  kind: "info" | "success" | "warning" | "danger";
  title: string;
  children?: ComponentChildren;
}

export function Alert({ kind, title, children }: AlertProps) {
  return (
    <div class={`kern-alert kern-alert--${kind}`}>
      <div class="kern-alert__header">
        <Icon name={kind} />
        <span class="kern-title">{title}</span>
      </div>
      {children && <div class="kern-alert__body">{children}</div>}
    </div>
  );
}

/** A heading that takes the focus whenever the visit comes into a new state, so that it is read out. */
export function StateHeading({ text, focus }: { text: string; focus: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) heading.current?.focus();
  }, [focus]);
  return (
    <h1 class="kern-heading-large vz-state-heading" tabIndex={-1} ref={heading}>
      {text}
    </h1>
  );
}

interface ConfirmProps {
  open: boolean;
  heading: string;
  text: string;
  confirm: string;
  cancel: string;
  onConfirm: () => void;
  onCancel: () => void;
}

/** Asks before something that cannot be undone. The browser's own dialog keeps the focus inside. */
export function Confirm(props: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (props.open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [props.open]);
  return (
    <dialog
      class="kern-dialog"
      ref={dialog}
      aria-labelledby="confirm-heading"
      onCancel={(event) => {
        event.preventDefault();
        props.onCancel();
      }}
    >
      <header class="kern-dialog__header">
        <h2 class="kern-title kern-title--large" id="confirm-heading">
          {props.heading}
        </h2>
      </header>
      <section class="kern-dialog__body">
        <p class="kern-body">{props.text}</p>
      </section>
      <footer class="kern-dialog__footer">
        <Button kind="secondary" label={props.cancel} onClick={props.onCancel} />
        <Button kind="primary" label={props.confirm} onClick={props.onConfirm} />
      </footer>
    </dialog>
  );
}

interface CheckProps {
  id: string;
  label: string;
  checked: boolean;
  onChange: (on: boolean) => void;
  /** More about it, below. */
  hint?: string;
}

export function Check({ id, label, checked, onChange, hint }: CheckProps) {
  return (
    <div class="kern-form-check">
      <input
        class="kern-form-check__checkbox"
        type="checkbox"
        id={id}
        checked={checked}
        {...(hint && { "aria-describedby": `${id}-hint` })}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label class="kern-label" for={id}>
        {label}
        {hint && (
          <span class="vz-check-hint" id={`${id}-hint`}>
            {hint}
          </span>
        )}
      </label>
    </div>
  );
}

/** The time, again every `interval` milliseconds. */
export function useNow(interval: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), interval);
    return () => window.clearInterval(timer);
  }, [interval]);
  return now;
}

/** Whether something is under way, over all drawings of a view. */
export function useSingly(): Singly {
  return useState(() => new Singly())[0];
}

/** Runs an action of the guest and keeps why it failed. */
export function useAction(action: () => Promise<void>): [run: () => void, busy: boolean, failure: unknown] {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const run = () => {
    setBusy(true);
    setFailure(undefined);
    action()
      .catch(setFailure)
      .finally(() => setBusy(false));
  };
  return [run, busy, failure];
}
