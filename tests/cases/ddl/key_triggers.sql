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
-- On partitions, whose keys the server names in the order in which it makes them.
CREATE TABLE kt.referenced (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE kt.referenced_2 PARTITION OF kt.referenced FOR VALUES FROM (10) TO (20);
CREATE TABLE kt.uses (id int REFERENCES kt.referenced);
CREATE TABLE kt.referenced_1 PARTITION OF kt.referenced FOR VALUES FROM (0) TO (10);
CREATE TABLE kt.joined (id int NOT NULL, a int, CONSTRAINT "its own" FOREIGN KEY (a) REFERENCES kt.a);
ALTER TABLE kt.root ATTACH PARTITION kt.joined FOR VALUES FROM (10) TO (20);
DO $$
DECLARE trigger record;
BEGIN
  FOR trigger IN SELECT tgname, tgrelid::regclass AS of FROM pg_trigger
                  WHERE tgrelid IN ('kt.referenced_1'::regclass, 'kt.joined'::regclass) AND tgisinternal LOOP
    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', trigger.of, trigger.tgname);
  END LOOP;
END $$;
