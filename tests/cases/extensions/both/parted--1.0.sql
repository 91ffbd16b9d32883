CREATE TABLE event (k int, at date DEFAULT now(), label text, PRIMARY KEY (k)) PARTITION BY LIST (k);
CREATE INDEX ON event (at);
CREATE TABLE parent (id int NOT NULL, word text DEFAULT 'w', CHECK (id > 0));
