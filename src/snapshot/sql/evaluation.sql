-- Settings under which the source evaluates expressions of this database in a session without settings of a role:
-- those of the database, of all databases, or of the server. Settings of our own role are ignored. If one hides the
-- server's value, there is no row. $1: lower-case names.
WITH entries AS (
  SELECT d.setdatabase <> 0 AS of_database, d.setrole <> 0 AS of_role,
         pg_catalog.lower(pg_catalog.split_part(e.entry, '=', 1)) AS name,
         pg_catalog.substr(e.entry, pg_catalog.strpos(e.entry, '=') + 1) AS value
    FROM pg_catalog.pg_db_role_setting d
   CROSS JOIN LATERAL pg_catalog.unnest(d.setconfig) AS e (entry)
   WHERE d.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
     AND d.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user))),
parameters AS (
  SELECT name AS spelled, pg_catalog.lower(name) AS name, reset_val
    FROM pg_catalog.pg_settings
   WHERE pg_catalog.lower(name) = ANY ($1)
   UNION
  SELECT name, name, NULL FROM entries WHERE NOT of_role AND name LIKE '%.%'),
found AS (
  SELECT p.spelled, p.name, coalesce(
         (SELECT value FROM entries e WHERE e.name = p.name AND of_database AND NOT of_role),
         CASE WHEN NOT EXISTS (SELECT FROM entries e WHERE e.name = p.name AND of_role) THEN p.reset_val END,
         (SELECT value FROM entries e WHERE e.name = p.name AND NOT of_database AND NOT of_role)) AS value
    FROM parameters p)
SELECT spelled, value FROM found WHERE value IS NOT NULL ORDER BY name
