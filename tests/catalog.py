"""What stands in a database, as lines that can be compared: its catalog, and the rows that the migrations put in."""

from contextlib import closing

import psycopg2
from psycopg2 import sql

# One line for each thing; yoyo's own tables are no part of the schema. {schemas} is filled with a list of names.
THINGS = """
WITH ours AS (
    SELECT c.oid, c.relname, c.relkind, n.nspname, format('%%I.%%I', n.nspname, c.relname) AS name, c.relrowsecurity,
           c.relowner, c.relacl, n.nspowner, n.nspacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (%(schemas)s) AND c.relname !~ '^_?yoyo_'
)
SELECT format('%%s %%s', CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence'
                         ELSE 'relation ' || relkind::text END, name)
FROM ours WHERE relkind NOT IN ('i', 'I')
UNION ALL
SELECT format('column %%s.%%I %%s%%s%%s%%s%%s', ours.name, a.attname, format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnotnull THEN ' NOT NULL' END, ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
              CASE a.attidentity WHEN 'a' THEN ' IDENTITY ALWAYS' WHEN 'd' THEN ' IDENTITY' END,
              CASE a.attgenerated WHEN '' THEN NULL ELSE ' GENERATED ' || a.attgenerated::text END)
FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE ours.relkind IN ('r', 'v', 'm', 'p')
UNION ALL -- what is not null stands with the columns: PostgreSQL 18 has a constraint for it, older ones have none
SELECT format('constraint %%s: %%s %%s', ours.name, k.conname, pg_get_constraintdef(k.oid))
FROM ours JOIN pg_constraint k ON k.conrelid = ours.oid WHERE k.contype <> 'n'
UNION ALL
SELECT format('reference to %%s: from %%s', ours.name, k.conrelid::regclass)
FROM ours JOIN pg_constraint k ON k.confrelid = ours.oid
UNION ALL
SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM ours JOIN pg_index i ON i.indrelid = ours.oid
UNION ALL
SELECT format('trigger %%s: %%s', ours.name, pg_get_triggerdef(t.oid))
FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT t.tgisinternal
UNION ALL
SELECT format('view %%s: %%s', name, pg_get_viewdef(oid)) FROM ours WHERE relkind IN ('v', 'm')
UNION ALL
SELECT format('policy %%s: %%s', ours.name, p.polname) FROM ours JOIN pg_policy p ON p.polrelid = ours.oid
UNION ALL
SELECT format('row security %%s', name) FROM ours WHERE relrowsecurity
UNION ALL
SELECT 'function ' || pg_get_functiondef(f.oid)
FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE n.nspname = ANY (%(schemas)s) AND f.prokind IN ('f', 'p')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = f.oid AND d.deptype = 'e')
UNION ALL
SELECT format('type %%s.%%s: %%s', n.nspname, t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder))
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = ANY (%(schemas)s) GROUP BY n.nspname, t.typname
UNION ALL
SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
"""
ACCESS = """
SELECT format('%%s is %%s''s, %%s; schema %%s is %%s''s, %%s', c.relname, c.relowner::regrole, c.relacl, n.nspname,
              n.nspowner::regrole, n.nspacl)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'v', 'S')
"""
# When a row was written differs by nature.
ROWS = "SELECT (to_jsonb(r) - ARRAY['created_at', 'changed_at', 'applied_at'])::text FROM {} r"


def catalog(database_url: str, schemas: tuple[str, ...] = ("public", "auth"), *, access: bool = False) -> set[str]:
    """A line for each table, column, constraint, index, trigger, function … in `schemas`.

    With `access` also who owns the tables and who may use them.
    """
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(THINGS + (" UNION ALL " + ACCESS if access else ""), {"schemas": list(schemas)})
        return {line for (line,) in cursor.fetchall()}


def rows_of_every_table(database_url: str) -> set[str]:
    """A line for each row of every table in the schema public, yoyo's own excepted."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^_?yoyo_'")
        lines: set[str] = set()
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL(ROWS).format(sql.Identifier(table)))
            lines |= {f"row of {table}: {row}" for (row,) in cursor.fetchall()}
        return lines
