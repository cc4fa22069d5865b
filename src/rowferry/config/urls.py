"""Which app answers which address."""

from django.contrib import admin
from django.urls import include, path

from rowferry.api.keys import keys

handler400 = "rowferry.config.edge.malformed"
urlpatterns = [
    path("api/v1/", include("rowferry.api.urls")),
    path(".well-known/rowferry-keys.json", keys),
    path("admin/", admin.site.urls),
    path("", include("rowferry.web.urls")),
]
