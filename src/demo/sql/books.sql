-- Counts of the writer's tables; last, orders that do not have each of their rows exactly once. No parameters. One row.
SELECT (SELECT count(*) FROM shop.journal),
       (SELECT COALESCE(max(n), 0) FROM shop.journal),
       (SELECT count(*) FROM (SELECT n FROM shop.ledger GROUP BY n HAVING sum(amount) <> 0) AS unbalanced),
       (SELECT count(*) FROM shop.journal j
          FULL JOIN (SELECT id FROM shop.orders WHERE id > 1000000) o ON o.id = j.order_id
         WHERE o.id IS NULL OR j.order_id IS NULL),
       (SELECT count(*) FROM shop.orders),
       (SELECT count(*) FROM "audit log"."Order changes"),
       (SELECT count(*) FROM shop.journal j
          LEFT JOIN (SELECT id, count(*) AS c FROM shop.orders WHERE id > 1000000 GROUP BY id) o ON o.id = j.order_id
          LEFT JOIN (SELECT order_id, count(*) AS c FROM shop.order_lines WHERE order_id > 1000000 GROUP BY order_id) l
                    ON l.order_id = j.order_id
          LEFT JOIN (SELECT n, count(*) AS c FROM shop.ledger GROUP BY n) e ON e.n = j.n
          LEFT JOIN (SELECT order_id, count(*) AS c FROM "audit log"."Order changes" WHERE order_id > 1000000
                      GROUP BY order_id) a ON a.order_id = j.order_id
         WHERE (o.c, l.c, e.c, a.c) IS DISTINCT FROM (1::bigint, 2::bigint, 2::bigint, 1::bigint))
