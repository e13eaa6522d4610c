import type { Texts } from "../lib/texts";

/** What the server accepts. */
export const MEDIA_TYPES = ["application/pdf", "image/jpeg", "image/png", "image/webp"];

/** In bytes. */
export const FILE_LIMIT = 10 * 1024 * 1024;

/** Why a file cannot be sent; the key of a text. The server looks again, into the bytes. */
export function refuseFile(file: {
  type: string;
  size: number;
}): "visit-file-type" | "visit-file-size" | "visit-file-empty" | undefined {
  if (!MEDIA_TYPES.includes(file.type)) return "visit-file-type";
  if (file.size > FILE_LIMIT) return "visit-file-size";
  if (file.size === 0) return "visit-file-empty";
  return undefined;
}

/** A file's size for people. */
export function fileSize(t: Texts, bytes: number): string {
  if (bytes >= 1_000_000) return t("visit-file-mb", { size: Math.round(bytes / 100_000) / 10 });
  return t("visit-file-kb", { size: Math.max(1, Math.round(bytes / 1_000)) });
}
