-- Configuration tables of extensions that exist on the target.
-- $1 text[]: their schemas, $2 text[]: their names, in the same order.
-- place: the table's position in the parameters. condition: which rows belong to the user, by the target's extension;
-- NULL if it does not register the table. refers_to: positions of the tables that its foreign keys reference.
-- fires: a trigger fires for written rows.
WITH wanted AS (
  SELECT w.place, c.oid
    FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY AS w (schema, name, place)
    JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema::name
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name::name),
registered AS (
  SELECT r.oid, r.condition
    FROM pg_catalog.pg_extension e,
         LATERAL ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) AS r (oid, condition))
SELECT w.place, r.condition,
       ARRAY(SELECT DISTINCT k.place
               FROM pg_catalog.pg_constraint f JOIN wanted k ON k.oid = f.confrelid
              WHERE f.conrelid = w.oid AND f.contype = 'f' AND k.oid <> w.oid) AS refers_to,
       EXISTS (SELECT FROM pg_catalog.pg_trigger g
                WHERE g.tgrelid = w.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')) AS fires
  FROM wanted w LEFT JOIN registered r ON r.oid = w.oid
 ORDER BY w.place
