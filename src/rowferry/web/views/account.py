"""What belongs to one's account: a forgotten password, and the tokens that programs use instead of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rowferry.api.models import ApiToken, issue
from rowferry.exports.errors import QuotaExceeded
from rowferry.exports.limits import quota
from rowferry.web.decorators import PersonRequest, personal, with_page_policy

LIFETIMES = (
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("one year")),
    ("", gettext_lazy("until it is revoked")),
)
MOST_TOKENS = 50


class TokenForm(forms.Form):
    """What a new token is for, and how long it lasts."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("What it is for, such as “nightly report”.")
    )
    lifetime = forms.ChoiceField(
        label=gettext_lazy("Valid for"), choices=LIFETIMES, required=False, widget=forms.Select, initial="90"
    )

    def clean_lifetime(self) -> timedelta | None:
        days = self.cleaned_data["lifetime"]
        return timedelta(days=int(days)) if days else None


class LinkedResetForm(PasswordResetForm):
    """Links lead to SITE_URL: what a request says of its host, anybody may have written. Nor can anybody have a person
    flooded with mails; who asks gets the same answer either way."""

    def get_users(self, email: str) -> Iterator[User]:
        return (user for user in super().get_users(email) if _may_be_mailed(user))

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        context_with_url = {**context, "site_url": settings.SITE_URL}
        super().send_mail(
            subject_template_name, email_template_name, context_with_url, from_email, to_email, html_email_template_name
        )


def _may_be_mailed(user: User) -> bool:
    """Whether one more mail is left to this person; it is used then."""
    try:
        quota.take(user, quota.RESET_MAILS)
    except QuotaExceeded:
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@personal
def tokens(request: PersonRequest) -> HttpResponse:
    """My tokens; posted, a new one, which this one answer shows and no other."""
    form = TokenForm(request.POST if request.method == "POST" else None, label_suffix="")
    new_token = _issue_token(request, form) if form.is_valid() else None
    context = {
        "form": TokenForm(label_suffix="") if new_token else form,
        "fresh": new_token,
        "tokens": ApiToken.objects.filter(user=request.user).order_by("-created_at", "-pk"),
        "now": timezone.now(),
        "site_url": settings.SITE_URL,
    }
    return render(request, "rowferry/tokens.html", context, status=422 if form.errors else 200)


def _issue_token(request: PersonRequest, form: TokenForm) -> str | None:
    if ApiToken.objects.filter(user=request.user).count() >= MOST_TOKENS:
        form.add_error(None, _("You have %(most)s tokens: revoke one first.") % {"most": MOST_TOKENS})
        return None
    lifetime = form.cleaned_data["lifetime"]
    return issue(request.user, form.cleaned_data["name"], timezone.now() + lifetime if lifetime else None)


@require_POST
@personal
def revoke(request: PersonRequest, token_id: int) -> HttpResponse:
    """The end of a token, at once."""
    get_object_or_404(ApiToken, pk=token_id, user=request.user).delete()
    messages.success(request, _("The token is revoked: it opens nothing any more."))
    return redirect("tokens")


ask = views.PasswordResetView.as_view(
    form_class=LinkedResetForm,
    template_name="rowferry/password_ask.html",
    email_template_name="rowferry/email/password.txt",
    html_email_template_name="rowferry/email/password.html",
    subject_template_name="rowferry/email/password_subject.txt",
)
asked = views.PasswordResetDoneView.as_view(template_name="rowferry/password_asked.html")
choose = views.PasswordResetConfirmView.as_view(template_name="rowferry/password_choose.html")
chosen = views.PasswordResetCompleteView.as_view(template_name="rowferry/password_chosen.html")

_form = require_http_methods(["GET", "HEAD", "POST"])

urlpatterns = [
    path("tokens", tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke", revoke, name="revoke"),
    path("password", with_page_policy(_form(ask)), name="password_reset"),
    path("password/asked", with_page_policy(require_safe(asked)), name="password_reset_done"),
    path("password/<uidb64>/<token>", with_page_policy(_form(choose)), name="password_reset_confirm"),
    path("password/chosen", with_page_policy(require_safe(chosen)), name="password_reset_complete"),
]
