"""The addresses of the page. E-mails link to `/`, `/exports/<id>` and `/exports/<id>/download`: keep those."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.decorators.http import require_POST

from rowferry.web import views
from rowferry.web.policy import guarded

login = guarded(LoginView.as_view(template_name="web/login.html", redirect_authenticated_user=True))
logout = guarded(require_POST(LogoutView.as_view(next_page="login")))

urlpatterns = [
    path("", views.index, name="index"),
    path("login", login, name="login"),
    path("logout", logout, name="logout"),
    path("new/<str:resource>", views.new, name="new"),
    path("exports/<uuid:export_id>", views.detail, name="export"),
    path("exports/<uuid:export_id>/download", views.download, name="download"),
    path("exports/<uuid:export_id>/retry", views.retry, name="retry"),
    path("exports/<uuid:export_id>/cancel", views.cancel, name="cancel"),
    path("exports/<uuid:export_id>/delete", views.delete, name="delete"),
]
