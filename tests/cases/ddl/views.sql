-- Views on views, options, defaults, and materialized views in order.
CREATE SCHEMA v;
CREATE TABLE v.base (id int PRIMARY KEY, a text, b numeric, at timestamptz);
INSERT INTO v.base SELECT g, 'r' || g, g / 2.0, '2020-01-01 00:00+00' FROM generate_series(1, 20) g;
CREATE VIEW v.plain AS SELECT id, a FROM v.base WHERE id > 1;
CREATE VIEW v.barrier WITH (security_barrier = true) AS SELECT * FROM v.plain;
CREATE VIEW v.checked AS SELECT id, a FROM v.base WHERE id < 100 WITH LOCAL CHECK OPTION;
CREATE VIEW v.cascaded WITH (security_barrier = false) AS SELECT id FROM v.checked WHERE id > 5 WITH CASCADED CHECK OPTION;
ALTER VIEW v.plain ALTER a SET DEFAULT 'from view';
CREATE VIEW v.renamed (one, two) AS SELECT id, b FROM v.base;
ALTER TABLE v.renamed RENAME COLUMN two TO "Two";
ALTER TABLE v.base RENAME b TO amount;
CREATE VIEW v.complex AS
  WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5)
  SELECT n.i, lead(n.i) OVER w AS next, CASE WHEN n.i > 2 THEN 'many' ELSE NULL END AS c, ARRAY[n.i, 2] AS r,
         (SELECT max(amount) FROM v.base x WHERE x.id <= n.i) AS m, b.a COLLATE "C" AS coll, b.*
    FROM n LEFT JOIN LATERAL (SELECT id, a FROM v.base WHERE id = n.i LIMIT 1) b ON true
  WINDOW w AS (ORDER BY n.i DESC) ORDER BY 1 FETCH FIRST 3 ROWS ONLY;
CREATE VIEW v.united AS SELECT id, a FROM v.plain UNION SELECT i, c FROM v.complex EXCEPT ALL SELECT 1, NULL ORDER BY 1;
CREATE VIEW v.no_columns AS SELECT;
CREATE MATERIALIZED VIEW v.m1 WITH (fillfactor = 60) AS SELECT a, sum(amount) AS s FROM v.base GROUP BY a;
CREATE UNIQUE INDEX m1_a ON v.m1 (a);
CREATE INDEX m1_s ON v.m1 (s) WITH (fillfactor = 50);
ALTER MATERIALIZED VIEW v.m1 CLUSTER ON m1_s;
ALTER MATERIALIZED VIEW v.m1 ALTER a SET STATISTICS 7, ALTER a SET STORAGE EXTERNAL;
CREATE VIEW v.over_m1 AS SELECT * FROM v.m1 WHERE s > 1;
CREATE MATERIALIZED VIEW v.a_first AS SELECT count(*) FROM v.over_m1;
CREATE MATERIALIZED VIEW v.z_last AS SELECT * FROM v.a_first, v.m1;
CREATE MATERIALIZED VIEW v.not_filled AS SELECT 1 AS one WITH NO DATA;
CREATE MATERIALIZED VIEW v.on_not_filled AS SELECT * FROM v.not_filled WITH NO DATA;
CREATE MATERIALIZED VIEW v.was_filled AS SELECT id FROM v.base;
CREATE VIEW v.over_was_filled AS SELECT * FROM v.was_filled;
CREATE MATERIALIZED VIEW v.reads_was_filled AS SELECT * FROM v.over_was_filled;
REFRESH MATERIALIZED VIEW v.was_filled WITH NO DATA;
CREATE FUNCTION v.instead() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER instead INSTEAD OF INSERT OR UPDATE ON v.complex FOR EACH ROW EXECUTE FUNCTION v.instead();
COMMENT ON VIEW v.plain IS 'plain';
COMMENT ON COLUMN v.plain.a IS 'a of plain';
COMMENT ON MATERIALIZED VIEW v.m1 IS 'filled';
\if :v15
CREATE VIEW v.invoker WITH (security_invoker = true, security_barrier) AS SELECT * FROM v.base;
\endif
