"""What failures of storage mean: which of them pass by themselves, and what a person can do about the others."""

import errno
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

ATTEMPTS = 5
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0

_REASONS = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
}
_CREDENTIALS = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_REFUSED = f"the storage does not know these credentials; {_CREDENTIALS}"
_EXPIRED = f"the credentials have expired; {_CREDENTIALS} anew"
_ELSEWHERE = "the bucket is in another region; set AWS_DEFAULT_REGION, or the endpoint, to its own"
_NO_BUCKET = "there is no such bucket; make it first, or mend its name"
_CODES = {
    "InvalidAccessKeyId": _REFUSED,
    "SignatureDoesNotMatch": _REFUSED,
    "InvalidToken": _REFUSED,
    "ExpiredToken": _EXPIRED,
    "RequestTimeTooSkewed": "the clock of this machine differs from that of the storage; set it",
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "IllegalLocationConstraintException": _ELSEWHERE,
    "PermanentRedirect": _ELSEWHERE,
    "301": _ELSEWHERE,
    "NoSuchBucket": _NO_BUCKET,
    "QuotaExceeded": "the quota of the bucket is used up",
    "AccessDenied": "these credentials may not do that here",
    "403": "these credentials may not do that here, or are unknown here",
}
_PASSING_CODES = {"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown", "500", "503"}
# botocore and aiohttp are imported only by the file systems that use them, so their exceptions are told by name.
_PASSING_TYPES = {
    "ClientPayloadError",
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "EndpointConnectionError",
    "FSTimeoutError",
    "HTTPClientError",
    "IncompleteRead",
    "ReadTimeoutError",
    "ResponseStreamingError",
}


def reason(error: BaseException) -> str:
    """Why, in words a user can act on."""
    code = _code(error)
    if code in _CODES:
        return _CODES[code]
    if isinstance(error, OSError) and error.errno in _REASONS:
        return _REASONS[error.errno]
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
        return f"no credentials; {_CREDENTIALS}"
    if type(error).__name__ in ("EndpointConnectionError", "ConnectTimeoutError"):
        return f"the storage server does not answer ({error})"
    return f"{error}" or type(error).__name__


def is_missing_bucket(error: BaseException) -> bool:
    """Whether not only the file, but what should hold it is not there."""
    return _code(error) == "NoSuchBucket"


def is_passing(error: BaseException) -> bool:
    """Whether the same operation may well succeed a little later."""
    return any(
        _own_code(link) in _PASSING_CODES
        or isinstance(link, TimeoutError | ConnectionError)
        or type(link).__name__ in _PASSING_TYPES
        for link in _chain(error)
    )


def retried(operation: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """What the operation gives, done whole again while its failures are of the passing kind. It must be idempotent."""
    for wait_s in _waits():
        try:
            return operation()
        except Exception as error:
            if not is_passing(error):
                raise
        sleep(wait_s)
    return operation()


def _waits() -> Iterator[float]:
    """Twice as long each time, and each a random part of that, so that many workers do not come back at once."""
    for attempt in range(ATTEMPTS - 1):
        yield min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt) * random.uniform(0.5, 1.0)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _code(error: BaseException) -> str:
    return next((code for code in map(_own_code, _chain(error)) if code), "")


def _own_code(error: BaseException) -> str:
    """The code that an S3 server gave."""
    response: Any = getattr(error, "response", None)
    found = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(found.get("Code", ""))
