"""Tables that Postgres divides by run, so that indexes stay small and a run's data lie together."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState
from django.db.models import BinaryField

PARTITIONS = 16


class CreatePartitionedModel(CreateModel):
    """Create a model's table, on Postgres partitioned by the hash of its `run_id`."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        editor: Any = schema_editor
        plain = editor.sql_create_table
        editor.sql_create_table = f"{plain} PARTITION BY HASH (run_id)"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            editor.sql_create_table = plain
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        for field in model._meta.get_fields():
            if isinstance(field, BinaryField):
                # Payloads are dense: Postgres would spend its time in vain compressing them.
                schema_editor.execute(
                    f"ALTER TABLE {table} ALTER COLUMN {field.column} SET STORAGE EXTERNAL"
                )
        for part in range(PARTITIONS):
            schema_editor.execute(
                f"CREATE TABLE {table}_p{part:02} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
            )
        return None

    def describe(self) -> str:
        return f"{super().describe()}, partitioned by run"
