"""Who is asking: the owner of a bearer token, or whoever is logged in on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from rowferry.api.models import ApiToken, redeem

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer rf_…`. Being the first one, it also makes the answer to nobody at all a 401."""

    def authenticate(self, request: Request) -> tuple[AbstractUser, ApiToken] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        api_token = redeem(token.strip())
        if api_token is None:
            raise AuthenticationFailed("The bearer token is unknown, has expired, or belongs to an inactive user.")
        return api_token.user, api_token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PageSessionAuthentication(SessionAuthentication):
    """The session of the web page. What changes something needs the page's CSRF token as well."""


def require_user(request: Request) -> AbstractUser:
    """The person who asks; never None, which to the engine would be the operator."""
    if request.user is None or isinstance(request.user, AnonymousUser):
        raise NotAuthenticated
    return request.user
