-- Periods: exclusion constraints everywhere, temporal keys since 18.
CREATE EXTENSION btree_gist;
CREATE TABLE public.room (id int PRIMARY KEY, name text);
CREATE TABLE public.booking (
  room int NOT NULL REFERENCES public.room,
  during tstzrange NOT NULL,
  cancelled bool DEFAULT false,
  CONSTRAINT no_double_booking EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (NOT cancelled),
  CONSTRAINT later EXCLUDE USING gist (during WITH &&) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE public.rate (
  valid_from date,
  valid_to date,
  EXCLUDE USING gist (daterange(valid_from, valid_to) WITH &&) WITH (fillfactor = 80));
CREATE TABLE public.version (
  id int, seen timestamptz(3) DEFAULT '2020-01-01 00:00:00+00', period interval DAY TO SECOND (2),
  PRIMARY KEY (id, seen));
\if :v18
CREATE TABLE public.price (
  item int, during daterange, amount numeric,
  CONSTRAINT price_key PRIMARY KEY (item, during WITHOUT OVERLAPS));
CREATE TABLE public.offer (
  item int, during daterange, label text,
  CONSTRAINT offer_key UNIQUE (item, during WITHOUT OVERLAPS),
  CONSTRAINT offer_price FOREIGN KEY (item, PERIOD during) REFERENCES public.price (item, PERIOD during));
\endif
