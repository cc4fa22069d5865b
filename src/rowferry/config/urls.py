"""Which app answers which address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("rowferry.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("rowferry.web.urls")),
]
