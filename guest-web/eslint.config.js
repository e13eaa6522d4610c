import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ["scripts/**"],
    languageOptions: { globals: { URL: "readonly", console: "readonly", Buffer: "readonly" } },
  },
);
