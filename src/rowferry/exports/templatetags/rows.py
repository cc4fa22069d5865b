"""How counts of rows are shown to people."""

from django import template

register = template.Library()


@register.filter
def group_digits(number: int) -> str:
    """12431 → 12,431."""
    return f"{number:,}"
