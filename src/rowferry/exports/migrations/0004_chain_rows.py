"""The events that are there already are chained, export by export. Broken off, it goes on where it was."""

from itertools import groupby

from django.db import migrations

from rowferry.exports.audit import hash_chain

EXPORTS, ROWS = 500, 200
"""Of one step, and of one statement."""


def link(apps, schema_editor):
    using = schema_editor.connection.alias
    exports = apps.get_model("exports", "Export").objects.using(using)
    logs = apps.get_model("exports", "ExportLog").objects.using(using)
    while True:
        todo = list(
            exports.filter(log_sequence=0, log__isnull=False)
            .order_by()
            .distinct()
            .values_list("pk", flat=True)[:EXPORTS]
        )
        if not todo:
            return
        changed, heads = [], []
        lines = logs.filter(export__in=todo).order_by("export_id", "id")
        for export_id, group in groupby(lines, key=lambda line: line.export_id):
            before = ""
            for number, line in enumerate(group, 1):
                line.sequence, line.previous_hash = number, before
                line.hash = before = hash_chain.fingerprint(
                    hash_chain.event({name: getattr(line, name) for name in hash_chain.FIELDS})
                )
                changed.append(line)
            heads.append(exports.model(pk=export_id, log_sequence=number, log_hash=before))
        logs.bulk_update(changed, ["sequence", "previous_hash", "hash"], batch_size=ROWS)
        exports.bulk_update(heads, ["log_sequence", "log_hash"], batch_size=ROWS)


class Migration(migrations.Migration):
    dependencies = [("exports", "0003_chain")]
    operations = [migrations.RunPython(link, migrations.RunPython.noop)]
