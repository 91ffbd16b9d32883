-- Planner statistics of columns, as text, in the order of `COLUMN_STATISTICS`. $1: schemas, $2: names of tables.
-- Columns that a version lacks resolve to `absent`.
SELECT x.*
  FROM (SELECT NULL::text AS range_length_histogram, NULL::text AS range_empty_frac, NULL::text AS range_bounds_histogram) absent,
       LATERAL (SELECT s.schemaname::text, s.tablename::text, s.attname::text, s.inherited::text, s.null_frac::text,
                       s.avg_width::text, s.n_distinct::text, s.most_common_vals::text, s.most_common_freqs::text,
                       s.histogram_bounds::text, s.correlation::text, s.most_common_elems::text,
                       s.most_common_elem_freqs::text, s.elem_count_histogram::text, range_length_histogram::text,
                       range_empty_frac::text, range_bounds_histogram::text
                  FROM pg_catalog.pg_stats s
                  JOIN ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
                    ON s.schemaname = wanted.schema::pg_catalog.name AND s.tablename = wanted.name::pg_catalog.name
                 WHERE s.tablename = ANY ($2::pg_catalog.name[])) x
