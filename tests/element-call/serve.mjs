// Serves the widget host and Element Call's own files on the address it is given: node serve.mjs 127.0.0.1 8080
// A third argument is how Element Call says that somebody is in the call: matrix_2_0.
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const elementCall = here("node_modules/@element-hq/element-call-embedded/dist/");
const TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
};
const PAGE = `<!doctype html>
<html lang="de"><meta charset="utf-8"><title>Element Call</title>
<style>html, body, iframe { margin: 0; border: 0; width: 100%; height: 100%; overflow: hidden }</style>
<body><script type="module" src="/host.js"></script></body></html>`;

const bundle = await build({
    entryPoints: [here("host.mjs")],
    bundle: true,
    format: "esm",
    write: false,
    define: { global: "globalThis" },
});
const [host] = bundle.outputFiles;

const [address, port, mode] = process.argv.slice(2);
const config = JSON.parse(await readFile(join(elementCall, "config.json"), "utf8"));
if (mode) config.matrix_rtc_mode = mode;

const send = (response, status, type, body) => response.writeHead(status, { "Content-Type": type }).end(body);

const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/") return send(response, 200, TYPES[".html"], PAGE);
    if (pathname === "/call/config.json") return send(response, 200, TYPES[".json"], JSON.stringify(config));
    if (pathname === "/host.js") return send(response, 200, TYPES[".js"], host.contents);
    const file = join(elementCall, normalize(decodeURIComponent(pathname.replace(/^\/call\//, "/"))));
    const isFile = await stat(file).then(
        (found) => found.isFile(),
        () => false,
    );
    if (!file.startsWith(elementCall) || !isFile) return send(response, 404, "text/plain", "not found");
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
});
server.listen(Number(port), address);
