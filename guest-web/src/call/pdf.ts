// A PDF as pictures of its pages. Loaded when somebody shows one, and from the page's own server.

import { getDocument, GlobalWorkerOptions } from "pdfjs-dist/legacy/build/pdf.mjs";
import worker from "pdfjs-dist/legacy/build/pdf.worker.min.mjs?url";

/** Where the build has put fonts, character maps and decoders; a document loads those it needs. */
declare const PDF_FILES: string;

GlobalWorkerOptions.workerSrc = worker;

export interface Pdf {
  /** How many pages it has. */
  count: number;
  /** Draws a page, counted from 1, with so many pixels on its longer side. */
  page: (number: number, side: number) => Promise<HTMLCanvasElement>;
  /** Frees what it holds. */
  close: () => void;
}

/** Opens a document; missing if it opens with a password only. */
export async function openPdf(file: Blob): Promise<Pdf | undefined> {
  const task = getDocument({
    data: await file.arrayBuffer(),
    cMapUrl: `${PDF_FILES}/cmaps/`,
    standardFontDataUrl: `${PDF_FILES}/standard_fonts/`,
    wasmUrl: `${PDF_FILES}/wasm/`,
    // The page's policy forbids it.
    isEvalSupported: false,
    verbosity: 0,
  });
  const close = () => void task.destroy();
  try {
    const pdf = await task.promise;
    const page = async (number: number, side: number) => {
      const source = await pdf.getPage(number);
      const { width, height } = source.getViewport({ scale: 1 });
      const viewport = source.getViewport({ scale: side / Math.max(width, height) });
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [viewport.width, viewport.height];
      await source.render({ canvas, viewport }).promise;
      return canvas;
    };
    return { count: pdf.numPages, page, close };
  } catch (error) {
    close();
    if (error instanceof Error && error.name === "PasswordException") return undefined;
    throw error;
  }
}
