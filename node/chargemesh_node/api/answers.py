"""Answers as JSON, and every error as one shape: {"error": {code, message, hint}, "exit_code"}."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any, TypedDict

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chargemesh_protocol.errors import ExitCode, PersonError, Refused

from ..errors import NetworkError, RefusedByPeer, StoreError, TimedOut
from ..wallbox.errors import WallboxError

_log = logging.getLogger(__name__)

_STATUS = {
    ExitCode.FAILURE: HTTPStatus.CONFLICT,
    ExitCode.USAGE: HTTPStatus.BAD_REQUEST,
    ExitCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ExitCode.NOT_RUNNING: HTTPStatus.SERVICE_UNAVAILABLE,
    ExitCode.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    ExitCode.REJECTED_BY_PEER: HTTPStatus.CONFLICT,
    ExitCode.TIMED_OUT: HTTPStatus.GATEWAY_TIMEOUT,
}
# Where a code says more than its class does.
_STATUS_OF_CODE = {
    "token": HTTPStatus.UNAUTHORIZED,
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too-slow": HTTPStatus.REQUEST_TIMEOUT,
    "too-many-streams": HTTPStatus.SERVICE_UNAVAILABLE,
    "store": HTTPStatus.INSUFFICIENT_STORAGE,
}


class Error(TypedDict):
    """code: stable, for programs. message: a sentence. hint: what to do about it, may be empty."""

    code: str
    message: str
    hint: str


class ErrorAnswer(TypedDict):
    """exit_code: what the command line ends with."""

    error: Error
    exit_code: int


def json_answer(value: Any, status: int = HTTPStatus.OK) -> Response:
    """Every answer is of this moment and for this client: nothing on the way may keep it."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, {"Cache-Control": "no-store"}, "application/json")


def error_answer(error: PersonError) -> Response:
    status = _STATUS_OF_CODE.get(error.code, _STATUS[error.exit_code])
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    answer = json_answer(error_value(error), status)
    answer.headers.update(headers)
    return answer


def error_value(error: PersonError) -> ErrorAnswer:
    return {
        "error": {"code": error.code, "message": error.message, "hint": error.hint},
        "exit_code": int(error.exit_code),
    }


def as_person_error(error: Exception) -> PersonError:
    """What a person is told of an error of the parts below."""
    match error:
        case PersonError():
            return error
        case Refused(code=code, message=message):
            return PersonError(
                code, f"The other side's data is not acceptable: {message}.", "", ExitCode.REJECTED_BY_PEER
            )
        case WallboxError(code=code, message=message):
            usage = ExitCode.USAGE if code == "bad-reading" else ExitCode.FAILURE
            return PersonError(code, message, "", usage)
        case TimedOut():
            return PersonError(
                "timed-out",
                "The other node did not answer in time.",
                "It may be overloaded or asleep; try again in a minute.",
                ExitCode.TIMED_OUT,
            )
        case RefusedByPeer():
            return PersonError(
                "refused-by-peer",
                f"The other node does not take this: {error}.",
                "It may run another version of chargemesh.",
                ExitCode.REJECTED_BY_PEER,
            )
        case NetworkError():
            _log.info("unreachable: %s", error)  # addresses and libraries' words, which help nobody else
            return PersonError(
                "unreachable",
                "The other node can't be reached.",
                "It may be switched off: try again later, or choose another. `chargemesh logs` says more.",
                ExitCode.FAILURE,
            )
        case StoreError():
            return PersonError("store", f"The change could not be saved: {error}.", error.hint)
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            return PersonError(
                "no-such-page",
                "There is nothing here.",
                "GET /openapi.json lists what there is.",
                ExitCode.NOT_FOUND,
            )
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            return PersonError(
                "wrong-method",
                "This can't be done here.",
                "GET /openapi.json lists what can.",
                ExitCode.USAGE,
            )
    return PersonError("internal", "Something went wrong inside chargemesh.", "`chargemesh logs` says more.")


async def tell(request: Request, error: Exception) -> Response:
    """The exception handler of every route. What is our own bug goes to the log as well."""
    person = as_person_error(error)
    answer = error_answer(person)
    if isinstance(error, HTTPException):
        answer.status_code = error.status_code
    elif person.code == "internal":
        answer.status_code = HTTPStatus.INTERNAL_SERVER_ERROR
    return answer
