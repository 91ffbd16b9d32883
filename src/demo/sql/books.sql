-- Counts of the writer's tables. No parameters. One row.
SELECT (SELECT count(*) FROM shop.journal),
       (SELECT COALESCE(max(n), 0) FROM shop.journal),
       (SELECT count(*) FROM (SELECT n FROM shop.ledger GROUP BY n HAVING sum(amount) <> 0) AS unbalanced),
       (SELECT count(*) FROM shop.journal j
          FULL JOIN (SELECT id FROM shop.orders WHERE id > 1000000) o ON o.id = j.order_id
         WHERE o.id IS NULL OR j.order_id IS NULL),
       (SELECT count(*) FROM shop.orders),
       (SELECT count(*) FROM "audit log"."Order changes")
