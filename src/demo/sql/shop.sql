-- A small shop with most kinds of objects that applications use.
CREATE ROLE shop_owner;
CREATE ROLE shop_clerk LOGIN;
CREATE ROLE shop_reader;
GRANT shop_reader TO shop_clerk;
ALTER ROLE shop_clerk SET statement_timeout = '30s';

CREATE EXTENSION btree_gist WITH SCHEMA public;
CREATE SCHEMA shop AUTHORIZATION shop_owner;
CREATE SCHEMA "audit log" AUTHORIZATION shop_owner;
COMMENT ON SCHEMA shop IS 'Customers, products, orders';
SET search_path = shop, public;

CREATE TYPE order_status AS ENUM ('new', 'paid', 'sent', 'returned');
CREATE TYPE address AS (street text, city text, zip varchar(10));
CREATE DOMAIN money_amount AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE TYPE price_range AS RANGE (subtype = numeric);

CREATE SEQUENCE invoice_number START WITH 1000 INCREMENT BY 10;

CREATE TABLE customers (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email email NOT NULL,
  name text COLLATE "C" NOT NULL,
  home address,
  referred_by int REFERENCES customers,
  preferences jsonb NOT NULL DEFAULT '{}',
  since timestamptz NOT NULL DEFAULT now(),
  search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED,
  UNIQUE (email)
);
CREATE INDEX customers_search ON customers USING gin (search);
CREATE INDEX customers_recent ON customers (since DESC) WHERE preferences <> '{}';

CREATE TABLE products (
  id serial PRIMARY KEY,
  sku varchar(20) NOT NULL CONSTRAINT products_sku UNIQUE,
  name text NOT NULL,
  price money_amount NOT NULL,
  usual price_range,
  tags text[] NOT NULL DEFAULT '{}',
  picture bytea,
  stock int NOT NULL DEFAULT 1000000 CHECK (stock >= 0)
);
ALTER TABLE products ALTER picture SET STORAGE EXTERNAL;
CREATE TABLE imported_products (country char(2) NOT NULL) INHERITS (products);
ALTER TABLE imported_products ADD PRIMARY KEY (id);

CREATE TABLE orders (
  id bigint NOT NULL,
  customer_id int NOT NULL REFERENCES customers,
  status order_status NOT NULL DEFAULT 'new',
  placed_on date NOT NULL,
  total money_amount NOT NULL,
  PRIMARY KEY (id, placed_on)
) PARTITION BY RANGE (placed_on);
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE orders_other PARTITION OF orders DEFAULT;
CREATE INDEX orders_customer ON orders (customer_id);

CREATE TABLE order_lines (
  order_id bigint NOT NULL,
  placed_on date NOT NULL,
  line int NOT NULL,
  product_id int NOT NULL REFERENCES products,
  quantity int NOT NULL CHECK (quantity > 0),
  amount money_amount NOT NULL,
  PRIMARY KEY (order_id, line),
  FOREIGN KEY (order_id, placed_on) REFERENCES orders (id, placed_on)
);

-- Circular foreign keys.
CREATE TABLE warehouses (id int PRIMARY KEY, main_shelf int, opening tstzrange,
  EXCLUDE USING gist (id WITH =, opening WITH &&));
CREATE TABLE shelves (id int PRIMARY KEY, warehouse_id int NOT NULL REFERENCES warehouses DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE warehouses ADD FOREIGN KEY (main_shelf) REFERENCES shelves DEFERRABLE INITIALLY DEFERRED;

-- Tables of the writer: n has no gaps, and ledger entries have the sum zero.
CREATE TABLE journal (n bigint PRIMARY KEY, order_id bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE ledger (n bigint NOT NULL, account text NOT NULL, amount numeric(14, 2) NOT NULL);
ALTER TABLE ledger REPLICA IDENTITY FULL;

CREATE TABLE "audit log"."Order changes" (order_id bigint, "old status" shop.order_status, "new status" shop.order_status,
  at timestamptz DEFAULT clock_timestamp());
ALTER TABLE "audit log"."Order changes" REPLICA IDENTITY FULL;
CREATE FUNCTION shop.note_order() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, pg_temp AS $$
BEGIN
  INSERT INTO "audit log"."Order changes" (order_id, "old status", "new status")
  VALUES (NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status);
  RETURN NEW;
END $$;
CREATE TRIGGER note_order AFTER INSERT OR UPDATE OF status ON orders FOR EACH ROW EXECUTE FUNCTION note_order();

CREATE FUNCTION shop.order_total(wanted bigint) RETURNS numeric LANGUAGE sql STABLE AS
  'SELECT sum(amount) FROM shop.order_lines WHERE order_id = wanted';
CREATE PROCEDURE shop.pay(wanted bigint) LANGUAGE plpgsql AS $$
BEGIN UPDATE shop.orders SET status = 'paid' WHERE id = wanted; END $$;

CREATE VIEW open_orders WITH (security_barrier) AS
  SELECT o.id, c.name, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'new';
CREATE MATERIALIZED VIEW revenue AS
  SELECT placed_on, count(*) AS orders, sum(total) AS total FROM orders GROUP BY placed_on;
CREATE UNIQUE INDEX revenue_day ON revenue (placed_on);

ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone_reads ON customers FOR SELECT TO shop_reader USING (true);
GRANT USAGE ON SCHEMA shop TO shop_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_reader;
GRANT INSERT, UPDATE (status) ON orders TO shop_clerk;
REVOKE EXECUTE ON FUNCTION shop.order_total(bigint) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO shop_reader;
COMMENT ON TABLE customers IS 'People who bought something';
COMMENT ON COLUMN customers.home IS 'Where parcels go';
ALTER TABLE customers OWNER TO shop_owner;
ALTER TABLE products OWNER TO shop_owner;

INSERT INTO customers (email, name, home, referred_by, preferences)
  SELECT 'customer' || g || '@example.com', 'Customer ' || g,
         ROW('Street ' || g, CASE g % 3 WHEN 0 THEN 'Łódź' WHEN 1 THEN 'São Paulo' ELSE '東京' END, lpad(g::text, 5, '0'))::address,
         CASE WHEN g > 1 THEN (g + 1) / 2 END,
         CASE WHEN g % 5 = 0 THEN jsonb_build_object('newsletter', g % 2 = 0, 'colours', jsonb_build_array('red', g)) ELSE '{}' END
    FROM generate_series(1, 20000) g;
INSERT INTO products (sku, name, price, usual, tags, picture)
  SELECT 'P' || g, 'Product ' || g, (g % 500) + 0.99, price_range((g % 500)::numeric, (g % 500 + 10)::numeric),
         ARRAY['tag' || g % 7, 'it''s "quoted"'], decode(repeat(md5(g::text), 200), 'hex')
    FROM generate_series(1, 1000) g;
INSERT INTO imported_products (sku, name, price, country)
  SELECT 'I' || g, 'Import ' || g, g, 'DE' FROM generate_series(1, 100) g;
INSERT INTO orders SELECT g, 1 + g % 20000, (ARRAY['new', 'paid', 'sent'])[1 + g % 3]::order_status,
         date '2025-01-01' + g % 700, 3 * ((g % 500) + 0.99)
    FROM generate_series(1, 100000) g;
INSERT INTO order_lines SELECT g, date '2025-01-01' + g % 700, line, 1 + g % 1000, 1, (g % 500) + 0.99
    FROM generate_series(1, 100000) g, generate_series(1, 3) line;
BEGIN;
INSERT INTO warehouses VALUES (1, 1, '[2020-01-01, 2030-01-01)'), (2, 3, NULL);
INSERT INTO shelves VALUES (1, 1), (2, 1), (3, 2);
COMMIT;
SELECT setval('invoice_number', 4210);
SELECT lo_from_bytea(0, convert_to('A signed contract.', 'UTF8'));
REFRESH MATERIALIZED VIEW revenue;
ANALYZE;
