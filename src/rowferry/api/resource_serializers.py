"""What the answers about resources look like: columns, filters and formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from rowferry.api.serializers import Plain
from rowferry.exports import catalogue

if TYPE_CHECKING:
    from rowferry.exports.resources.parameter import Parameter


class ChoiceSerializer(Plain):
    """A value, and what people call it."""

    value = serializers.JSONField()
    label = serializers.CharField()  # type: ignore[assignment]


class ColumnSerializer(Plain):
    """A column that may be asked for. `nest` names the object that `nested` puts it into; `treatment` says what the
    caller gets of it."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField(source="kind.value")
    default = serializers.BooleanField()
    sortable = serializers.BooleanField()
    nest = serializers.CharField(allow_null=True)
    treatment = serializers.ChoiceField(choices=("show", "mask", "hash"))


class FilterSerializer(Plain):
    """A key of `filters`. `choices` null: anything of the type."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    multiple = serializers.BooleanField()
    nullable = serializers.BooleanField()
    choices = serializers.SerializerMethodField()

    @extend_schema_field(ChoiceSerializer(many=True, allow_null=True))
    def get_choices(self, parameter: Parameter) -> list[dict[str, Any]] | None:
        if parameter.choices is None:
            return None
        return [{"value": value, "label": label} for value, label in parameter.choices]


class OptionSerializer(Plain):
    """An option of a format. `choices` null: anything of the type. `missing`: what the server needs before a choice can
    be used."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.ChoiceField(choices=("boolean", "text", "choice"))
    default = serializers.JSONField()
    choices = serializers.ListField(child=serializers.JSONField(), allow_null=True)
    missing = serializers.DictField(child=serializers.CharField())


class FormatSerializer(Plain):
    """A format. `missing` says what the server needs before it can be used; limits are null where there are none."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    extension = serializers.CharField()
    content_type = serializers.CharField()
    can_nest = serializers.BooleanField()
    options = OptionSerializer(many=True)
    max_rows = serializers.IntegerField(allow_null=True)
    max_cell = serializers.IntegerField(allow_null=True)
    missing = serializers.CharField(allow_null=True)


class ResourceSerializer(Plain):
    """What may be exported, by which columns, filters and formats."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    permission = serializers.CharField()
    sort_by = serializers.CharField(allow_blank=True)
    columns = ColumnSerializer(many=True)
    filters = FilterSerializer(many=True)
    formats = serializers.SerializerMethodField()
    export_url = serializers.SerializerMethodField()

    @extend_schema_field(FormatSerializer(many=True))
    def get_formats(self, _resource: Any) -> Any:
        return FormatSerializer(catalogue.formats(), many=True).data

    @extend_schema_field(serializers.URLField())
    def get_export_url(self, resource: Any) -> str:
        return self.absolute_url("order", resource.name)


class ResourcesSerializer(Plain):
    """All that the caller may export."""

    data = ResourceSerializer(many=True)  # type: ignore[assignment]
