-- Periods of partitioned tables, which no dump restores: no index is attached to theirs.
CREATE EXTENSION btree_gist;
\if :v17
-- Of partitioned tables: those of the partitions come with it, under names and in places of their own.
CREATE TABLE public.shift (
  team int, during int4range, place text,
  CONSTRAINT no_clash EXCLUDE USING gist (team WITH =, during WITH &&) DEFERRABLE) PARTITION BY LIST (team);
CREATE TABLE public.shift_1 PARTITION OF public.shift FOR VALUES IN (1);
CREATE TABLE public.shift_more PARTITION OF public.shift FOR VALUES IN (2, 3) PARTITION BY LIST (team);
CREATE TABLE public.shift_2 (place text, team int, during int4range);
ALTER TABLE public.shift_more ATTACH PARTITION public.shift_2 FOR VALUES IN (2);
ALTER TABLE public.shift_1 RENAME CONSTRAINT shift_1_team_during_excl TO "No 100% clash";
ALTER INDEX public."No 100% clash" SET (fillfactor = 60);
COMMENT ON CONSTRAINT "No 100% clash" ON public.shift_1 IS 'of a partition';
ALTER TABLE public.shift_2 ADD EXCLUDE USING gist (place WITH =, during WITH &&);
ALTER TABLE ONLY public.shift_more ADD CONSTRAINT only_here EXCLUDE USING gist (team WITH =, during WITH =);
INSERT INTO public.shift VALUES (1, '[1,2)', 'a'), (2, '[1,2)', 'b');
\endif
\if :v18
CREATE TABLE public.term (
  id int4range, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS)) PARTITION BY LIST (id);
CREATE TABLE public.term_1 PARTITION OF public.term FOR VALUES IN ('[1,2)');
CREATE TABLE public.term_note (
  id int4range, valid daterange, FOREIGN KEY (id, PERIOD valid) REFERENCES public.term (id, PERIOD valid));
\endif
