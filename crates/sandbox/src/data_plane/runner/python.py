"""Runs one invocation of a Python function in the current directory and exits.

Arguments: the handler (`module.function`) and the file that takes the result. Standard input holds
{event, context: {awsRequestId, invokedFunctionArn, timeoutSeconds}}. The result is {returned} or
{failed: {errorType, errorMessage}}; whatever the function prints does not touch it.
"""

import importlib
import json
import os
import signal
import sys
import time
import traceback


class Context:
    """What a handler is given beside the event."""

    def __init__(self, given):
        self.aws_request_id = given["awsRequestId"]
        self.invoked_function_arn = given["invokedFunctionArn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + given["timeoutSeconds"]

    def get_remaining_time_in_millis(self):
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def load(handler_name):
    module_name, _, function_name = handler_name.rpartition(".")
    if not module_name:
        raise ValueError(f"Bad handler '{handler_name}'")
    sys.path.insert(0, os.getcwd())
    return getattr(importlib.import_module(module_name.replace("/", ".")), function_name)


def report(result_file, result):
    # Renaming makes the result appear whole or not at all.
    with open(result_file + ".partial", "w", encoding="utf-8") as file:
        file.write(result)
    os.rename(result_file + ".partial", result_file)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # Threads that the function left behind do not hold the invocation up.


def failure(kind, message):
    return json.dumps({"failed": {"errorType": kind, "errorMessage": message}})


def main():
    handler_name, result_file = sys.argv[1:3]
    try:
        request = json.load(sys.stdin)
        handler = load(handler_name)
        timeout = request["context"]["timeoutSeconds"]
        message = f"Task timed out after {timeout} seconds"
        signal.signal(signal.SIGALRM, lambda *_: report(result_file, failure("TimeoutError", message)))
        signal.alarm(timeout)
        result = json.dumps({"returned": handler(request["event"], Context(request["context"]))})
    except BaseException as error:  # SystemExit, too, is a failure of the function.
        traceback.print_exc()
        result = failure(type(error).__name__, str(error))
    report(result_file, result)


main()
