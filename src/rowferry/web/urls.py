"""The addresses of the page. E-mails link to `/`, `/exports/<id>` and `/exports/<id>/download`: keep those."""

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.decorators.http import require_http_methods, require_POST

from rowferry.web.decorators import with_page_policy
from rowferry.web.views import exports, new_export, progress


class SignInView(LoginView):
    """Django's, with labels as all our forms have them."""

    template_name = "rowferry/login.html"
    redirect_authenticated_user = True

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "label_suffix": ""}


enter = SignInView.as_view()
login = with_page_policy(require_http_methods(["GET", "HEAD", "POST"])(enter))
logout = with_page_policy(require_POST(LogoutView.as_view(next_page="login")))

urlpatterns = [
    path("", include("rowferry.web.views.account")),
    path("", include("rowferry.web.views.browse")),
    path("", exports.index, name="index"),
    path("login", login, name="login"),
    path("logout", logout, name="logout"),
    path("new/<str:resource>", new_export.new, name="new"),
    path("new/<str:resource>/preview", new_export.preview_export, name="preview"),
    path("new/<str:resource>/choices/<str:key>", new_export.choices, name="choices"),
    path("progress", progress.poll, name="progress"),
    path("exports/<uuid:export_id>", exports.detail, name="export"),
    path("exports/<uuid:export_id>/again", new_export.again, name="again"),
    path("exports/<uuid:export_id>/edit", new_export.edit, name="edit"),
    path("exports/<uuid:export_id>/manifest", exports.manifest, name="manifest"),
    path("exports/<uuid:export_id>/download", exports.download, name="download"),
    path("exports/<uuid:export_id>/retry", exports.retry, name="retry"),
    path("exports/<uuid:export_id>/cancel", exports.cancel, name="cancel"),
    path("exports/<uuid:export_id>/delete", exports.delete, name="delete"),
]
