// Runs one invocation of a Node function in the current directory and exits.
//
// Arguments: the handler (`file.export`) and the file that takes the result. Standard input holds
// {event, context: {awsRequestId, invokedFunctionArn, timeoutSeconds}}. The result is {returned} or
// {failed: {errorType, errorMessage}}; whatever the function prints does not touch it.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [handlerName, resultFile] = process.argv.slice(2);
// nodejs24.x dropped handlers that take a callback, and takes what a handler returns without a promise.
const runtimeMajor = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1]);
const CALLBACKS_END = 24;

function report(result) {
  // Renaming makes the result appear whole or not at all.
  writeFileSync(`${resultFile}.partial`, JSON.stringify(result));
  renameSync(`${resultFile}.partial`, resultFile);
  process.exit(0);
}

function fail(error) {
  const isError = error instanceof Error;
  console.error(error);
  report({
    failed: {
      errorType: isError ? error.name : typeof error,
      errorMessage: isError ? error.message : String(error),
    },
  });
}

function succeed(returned) {
  report({ returned: returned === undefined ? null : returned });
}

async function loadHandler() {
  const [, directory, moduleName, exportName] = /^(.*\/)?([^/.]+)\.(.+)$/.exec(handlerName) ?? [];
  if (!moduleName) throw new Error(`Bad handler '${handlerName}'`);
  const base = resolve(directory ?? ".", moduleName);
  const file = [".js", ".mjs", ".cjs"].map((extension) => base + extension).find((path) => existsSync(path));
  if (!file) throw new Error(`Cannot find module '${moduleName}'`);
  const namespace = await import(pathToFileURL(file).href);
  const find = (root) => exportName.split(".").reduce((value, name) => value?.[name], root);
  const handler = find(namespace) ?? find(namespace.default);
  if (typeof handler !== "function") throw new Error(`${handlerName} is undefined or not exported`);
  return handler;
}

process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

try {
  const { event, context } = JSON.parse(readFileSync(0, "utf8"));
  const { timeoutSeconds, ...identity } = context;
  const handler = await loadHandler();
  const deadlineMillis = Date.now() + timeoutSeconds * 1000;
  const timedOut = () => fail(new Error(`Task timed out after ${timeoutSeconds} seconds`));
  setTimeout(timedOut, timeoutSeconds * 1000).unref();
  const lambdaContext = {
    ...identity,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => deadlineMillis - Date.now(),
  };
  if (runtimeMajor >= CALLBACKS_END) {
    if (handler.length >= 3) throw new Error("Handlers that take a callback ended with nodejs24.x");
    succeed(await handler(event, lambdaContext));
  } else {
    const returned = handler(event, lambdaContext, (error, value) => (error ? fail(error) : succeed(value)));
    if (typeof returned?.then === "function") succeed(await returned);
    // Without a promise only the callback counts; if nothing is left that could call it, the result is null.
    process.on("beforeExit", () => succeed(null));
  }
} catch (error) {
  fail(error);
}
