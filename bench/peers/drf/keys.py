"""Who may call: a token of which the table holds a hash, remembered for a few seconds."""

import hashlib

from django.core.cache import cache
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from bench.peers.drf.models import Key

REMEMBERED_S = 5


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, str]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Token":
            raise AuthenticationFailed("Send the header 'Authorization: Token <key>'.")
        mark = hashlib.sha256(token.encode()).hexdigest()
        name = cache.get(mark)
        if name is None:
            name = Key.objects.filter(hash=mark).values_list("name", flat=True).first()
            if name is None:
                raise AuthenticationFailed("Invalid token.")
            cache.set(mark, name, REMEMBERED_S)
        return None, name

    def authenticate_header(self, _request: Request) -> str:
        return "Token"


class HasKey(BasePermission):
    def has_permission(self, request: Request, _view: object) -> bool:
        return request.auth is not None
