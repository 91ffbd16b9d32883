-- Settings of every role in every database (ALTER ROLE ALL).
SELECT s.setconfig AS settings
  FROM pg_catalog.pg_db_role_setting s
 WHERE s.setrole = 0 AND s.setdatabase = 0
