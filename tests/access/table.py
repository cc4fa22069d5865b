"""The table: every address and method, and what each kind of person is answered.

One line = method, address as the URL configuration has it, state of the owner's export that it is about (`-` where it is
about none), then a status for each of ROLES. An address without a line fails the test; so does a line without an address.
To everybody but its owner an export is not there (404), like one that never was.
"""

from __future__ import annotations

from dataclasses import dataclass

ROLES = (
    "anonymous",
    "powerless",  # active, without any permission
    "owner",  # of the export that the address is about; may export
    "other",  # may export as well
    "staff",  # is_staff, without any permission
    "superuser",
    "lost",  # the owner, after the permission was taken away
    "revoked",  # the owner, whose token or session was deleted
    "expired",  # the owner, whose token or session is over
    "inactive",  # the owner, whose account was closed
)

# ruff: noqa: E501
API = """
#                                                              anon  power owner other staff super lost  revok expir inact
GET    api/v1/openapi.json                          -          200   200   200   200   200   200   200   200   200   200
GET    api/v1/docs                                  -          200   200   200   200   200   200   200   200   200   200
POST   api/v1/<str:resource>/export                 -          401   403   200   200   403   200   403   401   401   401
GET    api/v1/exports                               -          401   200   200   200   200   200   200   401   401   401
GET    api/v1/exports/<str:export_id>               completed  401   404   200   404   404   404   200   401   401   401
DELETE api/v1/exports/<str:export_id>               completed  401   404   204   404   404   404   204   401   401   401
GET    api/v1/exports/<str:export_id>/download      completed  401   404   200   404   404   404   403   401   401   401
HEAD   api/v1/exports/<str:export_id>/download      completed  401   404   200   404   404   404   403   401   401   401
GET    api/v1/exports/<str:export_id>/download      waiting    401   404   409   404   404   404   403   401   401   401
GET    api/v1/exports/<str:export_id>/download      expired    401   404   410   404   404   404   403   401   401   401
GET    api/v1/exports/<str:export_id>/logs          completed  401   404   200   404   404   404   200   401   401   401
GET    api/v1/exports/<str:export_id>/manifest      completed  401   404   200   404   404   404   200   401   401   401
GET    api/v1/exports/<str:export_id>/manifest      waiting    401   404   409   404   404   404   409   401   401   401
POST   api/v1/exports/<str:export_id>/retry         failed     401   404   202   404   404   404   403   401   401   401
POST   api/v1/exports/<str:export_id>/retry         completed  401   404   409   404   404   404   409   401   401   401
POST   api/v1/exports/<str:export_id>/cancel        waiting    401   404   202   404   404   404   202   401   401   401
POST   api/v1/exports/<str:export_id>/cancel        completed  401   404   409   404   404   404   409   401   401   401
GET    api/v1/resources                             -          401   200   200   200   200   200   200   401   401   401
GET    api/v1/resources/<str:name>                  -          401   403   200   200   403   200   403   401   401   401
GET    api/v1/resources/<str:name>/schema.json      -          401   403   200   200   403   200   403   401   401   401
GET    api/v1/                                      -          404   404   404   404   404   404   404   404   404   404
"""
PAGE = """
#                                                              anon  power owner other staff super lost  revok expir inact
GET    (root)                                       -          302   200   200   200   200   200   200   302   302   302
GET    login                                        -          200   302   302   302   302   302   302   200   200   200
POST   login                                        -          200   302   302   302   302   302   302   200   200   200
POST   logout                                       -          302   302   302   302   302   302   302   302   302   302
GET    new/<str:resource>                           -          302   403   200   200   403   200   403   302   302   302
POST   new/<str:resource>                           -          302   403   200   200   403   200   403   302   302   302
GET    exports/<uuid:export_id>                     completed  302   404   200   404   404   404   200   302   302   302
GET    exports/<uuid:export_id>/download            completed  302   404   200   404   404   404   403   302   302   302
GET    exports/<uuid:export_id>/download            waiting    302   404   409   404   404   404   403   302   302   302
POST   exports/<uuid:export_id>/retry               failed     302   404   302   404   404   404   302   302   302   302
POST   exports/<uuid:export_id>/cancel              waiting    302   404   302   404   404   404   302   302   302   302
POST   exports/<uuid:export_id>/delete              completed  302   404   302   404   404   404   302   302   302   302
POST   new/<str:resource>/preview                   -          302   403   200   200   403   200   403   302   302   302
POST   new/<str:resource>/choices/<str:key>         -          302   403   200   200   403   200   403   302   302   302
GET    progress                                     -          302   200   200   200   200   200   200   302   302   302
GET    exports/<uuid:export_id>/edit                completed  302   404   200   404   404   404   403   302   302   302
POST   exports/<uuid:export_id>/again               completed  302   404   200   404   404   404   403   302   302   302
GET    exports/<uuid:export_id>/manifest            completed  302   404   200   404   404   404   200   302   302   302
GET    lists                                        -          302   302   302   302   302   302   302   302   302   302
GET    lists/<str:resource>                         -          302   403   200   200   403   200   403   302   302   302
POST   lists/<str:resource>                         -          302   403   302   302   403   302   403   302   302   302
GET    lists/<str:resource>/export                  -          302   403   200   200   403   200   403   302   302   302
GET    tokens                                       -          302   200   200   200   200   200   200   302   302   302
POST   tokens                                       -          302   422   422   422   422   422   422   302   302   302
POST   tokens/<int:token_id>/revoke                 -          302   404   302   404   404   404   302   302   302   302
GET    password                                     -          200   200   200   200   200   200   200   200   200   200
POST   password                                     -          200   200   200   200   200   200   200   200   200   200
GET    password/asked                               -          200   200   200   200   200   200   200   200   200   200
GET    password/<uidb64>/<token>                    -          200   200   200   200   200   200   200   200   200   200
POST   password/<uidb64>/<token>                    -          200   200   200   200   200   200   200   200   200   200
GET    password/chosen                              -          200   200   200   200   200   200   200   200   200   200
"""
MACHINES = """
GET    .well-known/rowferry-keys.json                -          200   200   200   200   200   200   200   200   200   200
GET    healthz                                      -          200   200   200   200   200   200   200   200   200   200
GET    metrics                                      -          200   200   200   200   200   200   200   200   200   200
GET    readyz                                       -          503   503   503   503   503   503   503   503   503   503
"""
"""Asked by machines, which have no account. Not ready: in tests there is no scheduler."""
ADMIN_FOR_STAFF = frozenset(
    {"admin/", "admin/login/", "admin/logout/", "admin/password_change/", "admin/password_change/done/"}
    | {"admin/jsi18n/"}
)
"""What the admin shows to anybody who is staff. All the rest of it needs a permission, and everything needs staff."""
ADMIN_OPEN = frozenset({"admin/login/", "admin/logout/"})
EVERYWHERE_ELSE = "api/v1/"
"""Where the API says that there is nothing."""


@dataclass(frozen=True, slots=True)
class Line:
    """What each role is answered by one method of one address."""

    method: str
    route: str
    state: str
    expected: tuple[int, ...]

    @property
    def about_an_export(self) -> bool:
        return "export_id" in self.route

    @property
    def api(self) -> bool:
        return self.route.startswith("api/")

    def __str__(self) -> str:
        return f"{self.method} /{self.route} {self.state}"


def _read(text: str) -> list[Line]:
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    lines = [Line(m, "" if r == "(root)" else r, s, tuple(map(int, numbers))) for m, r, s, *numbers in rows]
    assert all(len(line.expected) == len(ROLES) for line in lines)
    return lines


LINES = [line for text in (API, PAGE, MACHINES) for line in _read(text)]
