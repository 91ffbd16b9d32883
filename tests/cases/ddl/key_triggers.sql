-- Triggers behind keys that do not fire as usual: pg_dump loses that, the comparison of both models sees it.
CREATE SCHEMA kt;
CREATE TABLE kt.a (id int PRIMARY KEY, up int REFERENCES kt.a);
CREATE TABLE kt."b % B" (id int, a int CONSTRAINT "To 'a' %I" REFERENCES kt.a ON DELETE CASCADE DEFERRABLE, late int UNIQUE DEFERRABLE);
CREATE TABLE kt.untouched (a int REFERENCES kt.a);
CREATE TABLE kt.root (id int PRIMARY KEY, a int REFERENCES kt.a) PARTITION BY RANGE (id);
CREATE TABLE kt.leaf PARTITION OF kt.root FOR VALUES FROM (0) TO (10);
ALTER TABLE kt."b % B" DISABLE TRIGGER ALL;
DO $$
DECLARE trigger name;
BEGIN
  FOR trigger IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'kt.a'::regclass AND tgfoid = '"RI_FKey_check_upd"'::regproc LOOP
    EXECUTE format('ALTER TABLE kt.a ENABLE ALWAYS TRIGGER %I', trigger);
  END LOOP;
END $$;
