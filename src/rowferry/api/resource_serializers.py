"""What the answers about resources look like: columns, filters and formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from rowferry.api.serializers import Plain
from rowferry.exports import catalogue, records

if TYPE_CHECKING:
    from rowferry.exports.catalogue import ResourceInfo


class ChoiceSerializer(Plain):
    """A value, and what people call it."""

    value = serializers.JSONField()
    label = serializers.CharField()  # type: ignore[assignment]


class ColumnSerializer(Plain):
    """A column that may be asked for. `nest` names the object that `nested` puts it into; `treatment` says what the
    caller gets of it."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
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
    choices = ChoiceSerializer(many=True, allow_null=True)


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
    formats = FormatSerializer(many=True)
    export_url = serializers.URLField()

    def to_representation(self, info: ResourceInfo) -> dict[str, Any]:
        return records.resource(info, catalogue.formats(), self.absolute_url)


class ResourcesSerializer(Plain):
    """All that the caller may export."""

    data = ResourceSerializer(many=True)  # type: ignore[assignment]
