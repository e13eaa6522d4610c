import type { Problem } from "../api/types";

/** A field of the form, by its name, and in words what is wrong with it. */
export interface Fault {
  field: string;
  text: string;
}

/** Fields whose name in the form is not that of the request. */
const NAMES: Record<string, string> = { privacy_accepted: "privacy" };

/** What the server found wrong with the fields; none when it refused for another reason. */
export function faultsOf(problem: Partial<Problem>): Fault[] {
  return (problem.errors ?? []).map(({ field, detail }) => ({ field: NAMES[field] ?? field, text: detail }));
}
