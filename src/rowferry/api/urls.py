"""Which view answers which address below `/api/v1/`."""

from __future__ import annotations

from django.urls import path, re_path

from rowferry.api import views
from rowferry.api.openapi.operations import DocsView, SchemaView

app_name = "rowferry_api"
urlpatterns = [
    path("openapi.json", SchemaView.as_view(), name="openapi"),
    path("docs", DocsView.as_view(), name="docs"),
    path("<str:resource>/export", views.OrderView.as_view(), name="order"),
    path("exports", views.HistoryView.as_view(), name="history"),
    path("exports/<str:export_id>", views.ExportView.as_view(), name="export"),
    path("exports/<str:export_id>/download", views.DownloadView.as_view(), name="download"),
    path("exports/<str:export_id>/logs", views.LogsView.as_view(), name="logs"),
    path("exports/<str:export_id>/manifest", views.ManifestView.as_view(), name="manifest"),
    path("exports/<str:export_id>/retry", views.RetryView.as_view(), name="retry"),
    path("exports/<str:export_id>/cancel", views.CancelView.as_view(), name="cancel"),
    path("resources", views.ResourcesView.as_view(), name="resources"),
    path("resources/<str:name>", views.ResourceView.as_view(), name="resource"),
    path("resources/<str:name>/schema.json", views.RowSchemaView.as_view(), name="row_schema"),
    re_path("", views.NotFoundView.as_view()),
]
