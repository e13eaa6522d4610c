import { expect, test } from "vitest";
import { faultsOf } from "./faults";

test("the request's fields are the form's", () => {
  const errors = [
    { field: "name", detail: "Bitte kürzen." },
    { field: "privacy_accepted", detail: "Bitte stimmen Sie zu." },
  ];
  expect(faultsOf({ errors })).toEqual([
    { field: "name", text: "Bitte kürzen." },
    { field: "privacy", text: "Bitte stimmen Sie zu." },
  ]);
  expect(faultsOf({ title: "Das Büro ist geschlossen" })).toEqual([]);
});
