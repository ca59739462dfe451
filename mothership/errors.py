"""Every error a user can meet.

MothershipError
├── Invalid              what was asked for can't be: a bad name, a bad option, a malformed Procfile
│   └── TooLarge         more of it than the server takes
├── NotFound             no such app, release, build
├── Refused              this user may not do that, or it isn't done at all
├── Conflict             somebody or something else is in the way
├── BuildFailed          the source did not become an image
├── ReleaseFailed        the image did not become a serving release
└── Unavailable          a part of the system can't be reached
    ├── EngineUnavailable
    ├── RegistryUnavailable
    └── ProxyUnavailable
"""


class MothershipError(Exception):
    """What happened, in the user's words, and a hint at what to do next.

    `reason` is the short form that fits behind git's "! [remote rejected] main -> main (…)".
    """

    reason = "failed"

    def __init__(self, message: str, hint: str = "", *, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if reason:
            self.reason = reason


class Invalid(MothershipError):
    reason = "invalid"


class TooLarge(Invalid):
    reason = "too large"


class NotFound(MothershipError):
    reason = "not found"


class Refused(MothershipError):
    reason = "not allowed"


class Conflict(MothershipError):
    reason = "conflict"


class BuildFailed(MothershipError):
    reason = "build failed"


class ReleaseFailed(MothershipError):
    reason = "release failed"


class Unavailable(MothershipError):
    reason = "server unavailable"


class EngineUnavailable(Unavailable):
    reason = "container engine unavailable"


class RegistryUnavailable(Unavailable):
    reason = "image registry unavailable"


class ProxyUnavailable(Unavailable):
    reason = "proxy unavailable"
