import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { FieldError } from "../api/types";
import { Alert } from "../visit/parts";

interface FailureProps {
  text: string;
  /** What is wrong with which field, when it is that. */
  errors?: readonly FieldError[];
  children?: ComponentChildren;
}

/** What has not worked. It takes the focus: on a small screen it stands far above the button that was pressed. */
export function Failure({ text, errors, children }: FailureProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), [text, errors]);
  return (
    <div role="alert" tabIndex={-1} ref={box}>
      <Alert kind="danger" title={text}>
        {children}
      </Alert>
    </div>
  );
}
