"""The addresses of the page. E-mails link to `/`, `/exports/<id>` and `/exports/<id>/download`: keep those."""

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.decorators.http import require_http_methods, require_POST

from rowferry.web import asking, views, watching
from rowferry.web.policy import guarded


class Entrance(LoginView):
    """Django's, with labels as all our forms have them."""

    template_name = "web/login.html"
    redirect_authenticated_user = True

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "label_suffix": ""}


enter = Entrance.as_view()
login = guarded(require_http_methods(["GET", "HEAD", "POST"])(enter))
logout = guarded(require_POST(LogoutView.as_view(next_page="login")))

urlpatterns = [
    path("", include("rowferry.web.account")),
    path("", include("rowferry.web.lists")),
    path("", views.index, name="index"),
    path("login", login, name="login"),
    path("logout", logout, name="logout"),
    path("new/<str:resource>", asking.new, name="new"),
    path("new/<str:resource>/look", asking.look, name="look"),
    path("new/<str:resource>/choices/<str:key>", asking.choices, name="choices"),
    path("moving", watching.moving, name="moving"),
    path("exports/<uuid:export_id>", views.detail, name="export"),
    path("exports/<uuid:export_id>/again", asking.again, name="again"),
    path("exports/<uuid:export_id>/edit", asking.edit, name="edit"),
    path("exports/<uuid:export_id>/manifest", views.manifest, name="manifest"),
    path("exports/<uuid:export_id>/download", views.download, name="download"),
    path("exports/<uuid:export_id>/retry", views.retry, name="retry"),
    path("exports/<uuid:export_id>/cancel", views.cancel, name="cancel"),
    path("exports/<uuid:export_id>/delete", views.delete, name="delete"),
]
