"""Which app answers which address."""

from django.contrib import admin
from django.urls import include, path

from rowferry.api.public_keys import keys

handler400 = "rowferry.runtime.middleware.bad_request_view"
urlpatterns = [
    path("api/v1/", include("rowferry.api.urls")),
    path(".well-known/rowferry-keys.json", keys),
    path("admin/", admin.site.urls),
    path("", include("rowferry.web.urls")),
]
