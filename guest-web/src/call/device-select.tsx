import type { Texts } from "../lib/texts";
import { recall } from "./choice";
import type { Choice } from "./devices";

interface Props {
  t: Texts;
  kind: "camera" | "microphone" | "speaker";
  choices: Choice[];
  onChoose: (id: string) => void;
}

/** Which of several devices to use. With fewer than two there is nothing to choose. */
export function DeviceSelect({ t, kind, choices, onChoose }: Props) {
  if (choices.length < 2) return null;
  const id = `device-${kind}`;
  const kept = recall()[kind];
  const chosen = choices.find((choice) => choice.id === kept)?.id ?? "";
  return (
    <div class="kern-form-input">
      <label class="kern-label" for={id}>
        {t(`check-${kind}`)}
      </label>
      <div class="kern-form-input__select-wrapper">
        <select
          class="kern-form-input__select"
          id={id}
          value={chosen}
          onChange={(event) => {
            if (event.currentTarget.value) onChoose(event.currentTarget.value);
          }}
        >
          {chosen === "" && <option value="">{t("more-device-default")}</option>}
          {choices.map((choice) => (
            <option key={choice.id} value={choice.id}>
              {choice.label}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
