"""Holds raw responses against botocore's service models."""

import json
import re
import xml.etree.ElementTree as ElementTree

from botocore.utils import parse_timestamp

# Codes that AWS answers although the models do not list them, at all or for the operation in question: codes of the
# whole service, and what deletions answer for something in use.
UNMODELLED = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SandboxNotModelled",
    "SerializationException",
    "SignatureDoesNotMatch",
    "Throttling",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
}
UNMODELLED_OF = {
    "DeleteAuthorizer": {"BadRequestException", "ConflictException"},
    "DeleteIntegration": {"BadRequestException", "ConflictException"},
}


class Invalid(AssertionError):
    """A response that the model does not allow."""


class Validator:
    """Checks every response that passes by, and counts them."""

    def __init__(self):
        self.seen = set()

    def check(self, operation_model, response_dict, **_):
        """Handles botocore's event before-parse."""
        operation = operation_model.name
        status = response_dict["status_code"]
        protocol = operation_model.service_model.metadata["protocol"]
        try:
            if protocol == "query":
                code = check_query(operation_model, status, response_dict["body"])
            elif protocol == "json":
                code = check_json(operation_model, status, response_dict["body"])
            else:
                code = check_rest_json(operation_model, status, response_dict["headers"], response_dict["body"])
        except Invalid as problem:
            raise Invalid(f"{operation} {status}: {problem}\n{response_dict['body']!r}") from None
        self.seen.add((operation, code or status))


def check_rest_json(operation, status, headers, body):
    if status >= 300:
        code = headers.get("x-amzn-errortype", "")
        members = json.loads(body)
        check_error(operation, status, code, lambda shape: json_value(shape, members, "body"))
        require(isinstance(message_of(members), str), "an error has no message")
        return code
    expected = operation.http["responseCode"]
    # The model of DeleteFunction says 200, the service answers 204.
    require(status == expected or (operation.name, status) == ("DeleteFunction", 204), f"expected {expected}")
    if operation.output_shape is None:
        require(body in (b"", b"{}"), "a body where none is modelled")
    else:
        json_value(operation.output_shape, json.loads(body or b"{}"), "body")
    return None


def check_json(operation, status, body):
    if status >= 300:
        members = json.loads(body)
        code = members.pop("__type")
        check_error(operation, status, code, lambda shape: error_value(shape, members))
        require(isinstance(message_of(members), str), "an error has no message")
        return code
    require(status == 200, "expected 200")
    if operation.output_shape is None:
        require(body == b"", "a body where none is modelled")
    else:
        json_value(operation.output_shape, json.loads(body), "body")
    return None


def error_value(shape, members):
    """The models of awsJson leave out that every error has a message."""
    modelled = {name: value for name, value in members.items() if name != "message" or name in shape.members}
    json_value(shape, modelled, "body")


def check_query(operation, status, body):
    root = ElementTree.fromstring(body)
    if status >= 300:
        error = child(root, "Error")
        code = child(error, "Code").text
        require(local(root) == "ErrorResponse" and child(root, "RequestId") is not None, "not an ErrorResponse")
        require(child(error, "Type").text in ("Sender", "Receiver"), "the error has no type")
        require(child(error, "Message").text, "the error has no message")
        check_error(operation, status, code, lambda _: None)
        return code
    require(status == 200, "expected 200")
    require(local(root) == operation.name + "Response", f"unexpected root {local(root)}")
    require(child(child(root, "ResponseMetadata"), "RequestId").text, "no request id")
    if operation.output_shape is not None:
        xml_value(operation.output_shape, child(root, operation.output_shape.serialization["resultWrapper"]), "result")
    return None


# Seen with another status than the model's: what API Gateway says of a full quota (O).
OTHER_STATUS = {("ConflictException", 429)}


def check_error(operation, status, code, check_members):
    """The code is modelled for the operation, with the status that the model gives it, or it is known not to be."""
    for shape in operation.error_shapes:
        if shape.error_code == code or shape.name == code:
            modelled = shape.metadata.get("error", {}).get("httpStatusCode")
            is_known = modelled in (None, status) or (code, status) in OTHER_STATUS
            require(is_known, f"{code} is modelled with the status {modelled}")
            check_members(shape)
            return
    known = UNMODELLED | UNMODELLED_OF.get(operation.name, set())
    require(code in known, f"the code {code!r} is neither modelled nor known to be missing from the model")


def json_value(shape, value, where):
    kind = shape.type_name
    if kind == "structure":
        require(isinstance(value, dict), f"{where} is no object")
        members = {
            member.serialization.get("name", name): (name, member)
            for name, member in shape.members.items()
            if member.serialization.get("location") is None
        }
        for name in value:
            require(name in members, f"{where}.{name} is unknown")
        for name, (modelled, member) in members.items():
            if name in value:
                json_value(member, value[name], f"{where}.{name}")
            else:
                require(modelled not in shape.required_members, f"{where}.{name} is missing")
    elif kind == "list":
        require(isinstance(value, list), f"{where} is no list")
        for item in value:
            json_value(shape.member, item, f"{where}[]")
    elif kind == "map":
        require(isinstance(value, dict), f"{where} is no map")
        for key, item in value.items():
            json_value(shape.key, key, f"{where} key")
            json_value(shape.value, item, f"{where}[{key}]")
    elif kind == "boolean":
        require(isinstance(value, bool), f"{where} is no boolean")
    elif kind in ("integer", "long"):
        require(isinstance(value, int) and not isinstance(value, bool), f"{where} is no integer")
        check_range(shape, value, where)
    elif kind in ("float", "double"):
        require(isinstance(value, (int, float)) and not isinstance(value, bool), f"{where} is no number")
        check_range(shape, value, where)
    elif kind == "timestamp":
        require(isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), f"{where} is no time")
        parse_timestamp(value)
    else:
        require(isinstance(value, str), f"{where} is no string")
        check_string(shape, value, where)


def xml_value(shape, element, where):
    require(element is not None, f"{where} is missing")
    kind = shape.type_name
    if kind == "structure":
        members = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        found = {local(item): item for item in element}
        require(len(found) == len(element), f"{where} has an element twice")
        for name in found:
            require(name in members, f"{where}.{name} is unknown")
        for name, (modelled, member) in members.items():
            if name in found:
                xml_value(member, found[name], f"{where}.{name}")
            else:
                require(modelled not in shape.required_members, f"{where}.{name} is missing")
    elif kind == "list":
        require(not shape.serialization.get("flattened"), f"{where} is a flattened list, which is not written yet")
        for item in element:
            require(local(item) == shape.member.serialization.get("name", "member"), f"{where} holds {local(item)}")
            xml_value(shape.member, item, f"{where}[]")
    elif kind == "boolean":
        require(element.text in ("true", "false"), f"{where} is no boolean")
    elif kind in ("integer", "long"):
        check_range(shape, int(element.text), where)
    elif kind == "timestamp":
        parse_timestamp(element.text)
    else:
        check_string(shape, element.text or "", where)


def check_string(shape, value, where):
    enum = shape.metadata.get("enum")
    require(not enum or value in enum, f"{where} is {value!r}, none of {enum}")
    check_size(shape, len(value), where)
    pattern = shape.metadata.get("pattern")
    # Patterns are Java's; those that Python reads are held against the value.
    if pattern and "\\p{" not in pattern and "\\u" not in pattern:
        require(re.fullmatch(pattern, value, re.DOTALL), f"{where} is {value!r}, not like {pattern}")


def check_size(shape, size, where):
    require(size >= shape.metadata.get("min", 0), f"{where} is too short")
    require(size <= shape.metadata.get("max", size), f"{where} is too long")


def check_range(shape, value, where):
    require(value >= shape.metadata.get("min", value), f"{where} is too small")
    require(value <= shape.metadata.get("max", value), f"{where} is too large")


def message_of(members):
    return members.get("message", members.get("Message"))


def local(element):
    return element.tag.rpartition("}")[2]


def child(element, name):
    if element is None:
        return None
    return next((item for item in element if local(item) == name), None)


def require(holds, problem):
    if not holds:
        raise Invalid(problem)
